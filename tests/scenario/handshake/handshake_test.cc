// Whole handshakes between two of our own connections.
#include <gtest/gtest.h>

#include "support/endpoints.h"

namespace sluice::test {
namespace {

TEST(Handshake, CompletesInBothRoles) {
  const auto config = make_config();
  Peer client = make_client(config);
  Peer server = make_server(config);
  exchange(client, server);
  ASSERT_FALSE(client.error) << to_string(*client.error);
  ASSERT_FALSE(server.error) << to_string(*server.error);
  ASSERT_TRUE(client.connected);
  ASSERT_TRUE(server.connected);
}

}  // namespace
}  // namespace sluice::test
