// The master key identifier that both sides agree on, in both versions (RFC 5764 section 4.1.3).
#include "support/connections.h"

namespace sluice::test {
namespace {

using dtls::Buffer;

class Rfc5764Mki : public ByVersion {
 protected:
  static Pair pair_of(const Buffer& clients, std::size_t servers_most) {
    dtls::ConfigOptions client = options();
    client.srtp_mki = clients;
    dtls::ConfigOptions server = options();
    server.max_srtp_mki = servers_most;
    Pair pair(client, server);
    pair.run();
    return pair;
  }
  static void expect_mki(Pair pair, const Buffer& mki) {
    ASSERT_TRUE(works(pair));
    for (Peer* peer : {&pair.client, &pair.server}) {
      EXPECT_EQ(peer->connected->srtp_mki, mki);
      EXPECT_EQ(must(peer->connection().srtp_keys()).mki, mki);
    }
  }
};

TEST_P(Rfc5764Mki, IsTheClientsWhereTheServerBearsIt) {
  const Buffer longest(255, std::byte{7});
  expect_mki(pair_of(from_hex("0102"), 2), from_hex("0102"));
  expect_mki(pair_of(longest, 255), longest);
}

TEST_P(Rfc5764Mki, IsNoneOtherwise) {
  expect_mki(pair_of(from_hex("0102"), 0), {});
  expect_mki(pair_of(from_hex("0102"), 1), {});
  expect_mki(pair_of({}, 255), {});
}

INSTANTIATE_TEST_SUITE_P(Versions, Rfc5764Mki, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
