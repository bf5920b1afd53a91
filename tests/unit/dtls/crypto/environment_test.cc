#include <openssl/provider.h>
#include <sluice/dtls/environment.h>

#include "crypto/openssl_ptr.h"
#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls {
namespace {

using test::must;

using EnvironmentTest = test::CryptoTest;

TEST_F(EnvironmentTest, ARandomSourceNeedsAContextOfItsOwn) {
  test::SeededRandom random(1);
  const crypto::LibCtxPtr context(OSSL_LIB_CTX_new());
  const auto environment = Environment::make({.library_context = context.get(), .random = &random});
  ASSERT_FALSE(environment);
  EXPECT_EQ(environment.error().code, Errc::invalid_config);
  EXPECT_TRUE(environment.error().detail.starts_with("random"))
      << environment.error().detail.view();
}

TEST_F(EnvironmentTest, WithoutAlgorithmsThereIsNone) {
  const auto nobody = Environment::make({.property_query = "provider=nobody"});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Errc::libcrypto_failure);
  EXPECT_NE(nobody.error().libcrypto, 0U);
}

TEST_F(EnvironmentTest, WorksInAContextOfTheCallers) {
  const crypto::LibCtxPtr context(OSSL_LIB_CTX_new());
  const crypto::ProviderPtr provider(OSSL_PROVIDER_load(context.get(), "default"));
  auto environment = must(
      Environment::make({.library_context = context.get(), .property_query = "provider=default"}));
  ConfigOptions options;
  options.identities = {must(Identity::self_signed(environment))};
  const ConfigPtr config = must(Config::make(options));
  test::Peer client(must(Connection::client(config, environment, test::kPath, {})));
  test::Peer server(must(Connection::server(config, environment, test::kPath, {})));
  test::exchange(client, server);
  EXPECT_TRUE(client.connected && server.connected);
}

}  // namespace
}  // namespace sluice::dtls
