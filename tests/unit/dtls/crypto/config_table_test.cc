#include "crypto/config_table.h"

#include <optional>

#include <sluice/dtls/connection_id.h>

#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls::crypto {
namespace {

class ConfigTableTest : public test::CryptoTest {
 protected:
  const ConfigPtr config_ = test::make_config();
  const std::size_t before_ = library().configs().size();
  const long uses_before_ = config_.use_count();
};

TEST_F(ConfigTableTest, OneConfigIsStoredOnce) {
  ConfigTable& table = library().configs();
  std::optional<ConfigTable::Use> first = table.use(config_, nullptr);
  const ConfigTable::Use second = table.use(config_, nullptr);
  EXPECT_EQ(table.size(), before_ + 1);
  EXPECT_EQ(config_.use_count(), uses_before_ + 1);
  EXPECT_EQ(&first->options(), &config_->options());
  EXPECT_EQ(&second.library(), &library());
  EXPECT_EQ(second.connection_ids(), nullptr);
  first.reset();
  EXPECT_EQ(&second.options(), &config_->options()) << "still in use";
}

TEST_F(ConfigTableTest, WhoIsTheLastToUseAConfigReleasesIt) {
  ConfigTable& table = library().configs();
  {
    ConfigTable::Use first = table.use(config_, nullptr);
    const ConfigTable::Use second = table.use(config_, nullptr);
    const ConfigTable::Use moved = std::move(first);
    EXPECT_EQ(&moved.options(), &config_->options());
    EXPECT_EQ(table.size(), before_ + 1);
  }
  EXPECT_EQ(table.size(), before_);
  EXPECT_EQ(config_.use_count(), uses_before_);
}

TEST_F(ConfigTableTest, AnotherConfigReplacesOneThatIsUsed) {
  ConfigTable& table = library().configs();
  ConfigTable::Use use = table.use(config_, nullptr);
  const ConfigPtr another = test::make_config();
  use = table.use(another, nullptr);
  EXPECT_EQ(&use.options(), &another->options());
  EXPECT_EQ(table.size(), before_ + 1);
  EXPECT_EQ(config_.use_count(), uses_before_);
}

TEST_F(ConfigTableTest, EachSourceOfConnectionIdsHasAnEntry) {
  ConfigTable& table = library().configs();
  RandomConnectionIds ids(test::environment(), 8);
  const ConfigTable::Use random = table.use(config_, nullptr);
  const ConfigTable::Use from_source = table.use(config_, &ids);
  EXPECT_EQ(table.size(), before_ + 2);
  EXPECT_EQ(random.connection_ids(), nullptr);
  EXPECT_EQ(from_source.connection_ids(), &ids);
}

}  // namespace
}  // namespace sluice::dtls::crypto
