#include "tools/key_rotation.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "support/bytes.h"
#include "support/temporary_folder.h"
#include "tools/key_file.h"

namespace sluice::interop::tools {
namespace {

using namespace std::chrono_literals;
using dtls::Instant;

constexpr dtls::Duration kRotation = 24h;

// A server that shares the file.
struct SharingServer {
  SharingServer(const std::string& file, const KeySet& read,
                std::shared_ptr<dtls::TicketKeys> imported, std::vector<std::string>& failures)
      : keys(std::move(imported)),
        rotation(file, keys, dtls::SecretBytes(test::copy_of(read.ticket_keys.bytes())),
                 [&](const std::string& failure) { failures.push_back(failure); }) {}

  std::shared_ptr<dtls::TicketKeys> keys;
  KeyRotation rotation;
};

class KeyRotationTest : public testing::Test {
 protected:
  KeyRotationTest() {
    EXPECT_TRUE(read_or_make_keys(file_, [&] { return make(Instant{}); }));
  }

  tl::expected<KeySet, std::string> make(Instant now) {
    KeySet made{dtls::StateKeyId{7},
                dtls::SecretBytes(dtls::Buffer(dtls::StateKeys::kKeySize)),
                {},
                dtls::SecretBytes(dtls::Buffer(53, std::byte{3}))};
    made.ticket_keys = dtls::TicketKeys(kRotation).export_keys(environment_, now).value();
    return made;
  }
  [[nodiscard]] KeySet in_file() const {
    return read_or_make_keys(file_,
                             [] { return tl::expected<KeySet, std::string>(tl::unexpect, "gone"); })
        .value();
  }
  [[nodiscard]] dtls::Buffer tickets_in_file() const {
    return test::copy_of(in_file().ticket_keys.bytes());
  }
  std::unique_ptr<SharingServer> start() {
    const KeySet read = in_file();
    auto keys = std::make_shared<dtls::TicketKeys>(kRotation);
    EXPECT_TRUE(keys->import_keys(environment_, read.ticket_keys.bytes()));
    return std::make_unique<SharingServer>(file_, read, std::move(keys), failures_);
  }
  dtls::Buffer keys_of(const SharingServer& server, Instant now) {
    return test::copy_of(server.keys->export_keys(environment_, now)->bytes());
  }

  test::TemporaryFolder folder_;
  std::string file_ = folder_.path() / "keys";
  dtls::Environment environment_ = dtls::Environment::make().value();
  std::vector<std::string> failures_;
};

TEST_F(KeyRotationTest, TheFileGetsTheNewKeysWhenTheyAreDue) {
  const auto server = start();
  const dtls::Buffer first = tickets_in_file();
  EXPECT_EQ(server->rotation.due(), Instant{kRotation});
  EXPECT_FALSE(server->rotation.keep(environment_, Instant{kRotation - 1us}));
  EXPECT_EQ(tickets_in_file(), first);

  EXPECT_TRUE(server->rotation.keep(environment_, Instant{kRotation}));
  EXPECT_EQ(server->rotation.due(), Instant{2 * kRotation});
  EXPECT_NE(tickets_in_file(), first);
  EXPECT_EQ(tickets_in_file(), keys_of(*server, Instant{kRotation}));
  EXPECT_EQ(in_file().state_key_id, dtls::StateKeyId{7});
  EXPECT_EQ(test::copy_of(in_file().cookie_secret.bytes()), dtls::Buffer(53, std::byte{3}));
  struct stat status{};
  ASSERT_EQ(stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const std::filesystem::directory_iterator files(folder_.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "no draft is left";
  EXPECT_FALSE(server->rotation.keep(environment_, Instant{kRotation})) << "once is enough";
}

// A ticket in between has made them.
TEST_F(KeyRotationTest, TheFileGetsKeysThatAreThereAlready) {
  const auto server = start();
  const dtls::Buffer made = keys_of(*server, Instant{kRotation + 1h});
  EXPECT_TRUE(server->rotation.keep(environment_, Instant{kRotation + 1h}));
  EXPECT_EQ(tickets_in_file(), made);
}

TEST_F(KeyRotationTest, KeysThatWereDueLongAgoAreReplacedAtTheStart) {
  const auto server = start();
  EXPECT_TRUE(server->rotation.keep(environment_, Instant{10 * kRotation}));
  EXPECT_EQ(server->rotation.due(), Instant{11 * kRotation});
}

TEST_F(KeyRotationTest, ServersOfOneFileHaveTheKeysOfTheFirst) {
  const auto one = start();
  const auto other = start();
  EXPECT_TRUE(one->rotation.keep(environment_, Instant{kRotation}));
  const dtls::Buffer made = tickets_in_file();
  keys_of(*other, Instant{kRotation});  // it has made its own meanwhile
  EXPECT_FALSE(other->rotation.keep(environment_, Instant{kRotation + 1s}));
  EXPECT_EQ(tickets_in_file(), made);
  EXPECT_EQ(keys_of(*other, Instant{kRotation + 1s}), made);
  EXPECT_EQ(other->rotation.due(), Instant{2 * kRotation});
  // And in the next round the other may be the first.
  EXPECT_TRUE(other->rotation.keep(environment_, Instant{2 * kRotation}));
  EXPECT_FALSE(one->rotation.keep(environment_, Instant{2 * kRotation}));
  EXPECT_EQ(keys_of(*one, Instant{2 * kRotation}), tickets_in_file());
}

TEST_F(KeyRotationTest, AFileThatCannotBeWrittenIsTriedAgain) {
  const auto server = start();
  const std::filesystem::path away = folder_.path() / "away";
  std::filesystem::rename(file_, away);
  EXPECT_FALSE(server->rotation.keep(environment_, Instant{kRotation}));
  EXPECT_EQ(server->rotation.failures(), 1U);
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_NE(failures_[0].find("No such file"), std::string::npos) << failures_[0];
  EXPECT_EQ(server->rotation.due(), Instant{kRotation + KeyRotation::kRetry});

  std::filesystem::rename(away, file_);
  EXPECT_FALSE(server->rotation.keep(environment_, Instant{kRotation + 1s})) << "not at once";
  EXPECT_TRUE(server->rotation.keep(environment_, Instant{kRotation + KeyRotation::kRetry}));
  EXPECT_EQ(server->rotation.failures(), 1U);
}

TEST_F(KeyRotationTest, AFileThatOthersCanReadGetsNoKeys) {
  const auto server = start();
  ASSERT_EQ(chmod(file_.c_str(), 0644), 0);
  EXPECT_FALSE(server->rotation.keep(environment_, Instant{kRotation}));
  EXPECT_EQ(server->rotation.failures(), 1U);
}

TEST_F(KeyRotationTest, ALinkToTheFileStays) {
  const std::filesystem::path real = folder_.path() / "real";
  std::filesystem::rename(file_, real);
  std::filesystem::create_symlink(real, file_);
  const auto server = start();
  EXPECT_TRUE(server->rotation.keep(environment_, Instant{kRotation}));
  EXPECT_TRUE(std::filesystem::is_symlink(file_));
  EXPECT_EQ(tickets_in_file(), keys_of(*server, Instant{kRotation}));
}

}  // namespace
}  // namespace sluice::interop::tools
