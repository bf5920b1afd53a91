// RFC 9146 section 6: which records may change the peer's address. Pending::newest_record says it.
#include "support/connections.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::Bytes;
using dtls::Pending;

class Rfc9146PeerAddress : public ByVersion {
 protected:
  static dtls::ConfigOptions with_ids(std::optional<std::size_t> size = 8) {
    dtls::ConfigOptions asking = options();
    asking.connection_id_size = size;
    return asking;
  }
  static Pending receive(Peer& peer, Buffer datagram) {
    const auto outcome = peer.connection().handle_datagram(datagram, kPath, {});
    const Pending pending = must(outcome);
    peer.settle(outcome, {});
    return pending;
  }
};

TEST_P(Rfc9146PeerAddress, ANewerRecordThanAllBefore) {
  Pair pair = connected_pair(with_ids());
  std::vector<Buffer> datagrams;
  for (int i = 0; i < 4; ++i) datagrams.push_back(pair.client.seal(bytes_of("data")));
  EXPECT_TRUE(receive(pair.server, datagrams[1]).newest_record);
  const Pending older = receive(pair.server, datagrams[0]);
  EXPECT_TRUE(older.record_opened);
  EXPECT_FALSE(older.newest_record) << "a reordered record";
  EXPECT_FALSE(receive(pair.server, datagrams[1]).newest_record) << "a replayed record";
  Buffer forged = datagrams[3];
  forged.back() ^= std::byte{1};
  EXPECT_FALSE(receive(pair.server, forged).newest_record);
  EXPECT_FALSE(receive(pair.server, pair.server.seal(bytes_of("reflected"))).newest_record);
  EXPECT_TRUE(receive(pair.server, datagrams[3]).newest_record);
  EXPECT_FALSE(receive(pair.server, datagrams[2]).newest_record);
}

TEST_P(Rfc9146PeerAddress, OneOfSeveralRecords) {
  Pair pair = connected_pair(with_ids());
  const Buffer first = pair.client.seal(bytes_of("first"));
  const Buffer second = pair.client.seal(bytes_of("second"));
  EXPECT_TRUE(receive(pair.server, first).newest_record);
  Buffer both = second;
  both.insert(both.end(), first.begin(), first.end());
  EXPECT_TRUE(receive(pair.server, both).newest_record);
}

// "When a record with a CID is received".
TEST_P(Rfc9146PeerAddress, ARecordWithoutAnIdDoesNotCount) {
  Pair pair(with_ids(8), with_ids(0));
  pair.run();
  const Pending pending = receive(pair.server, pair.client.seal(bytes_of("data")));
  EXPECT_TRUE(pending.record_opened);
  EXPECT_FALSE(pending.newest_record);
  EXPECT_TRUE(receive(pair.client, pair.server.seal(bytes_of("data"))).newest_record);
  Pair without = connected_pair(options());
  EXPECT_FALSE(receive(without.server, without.client.seal(bytes_of("data"))).newest_record);
}

// A record of an earlier epoch is older, whatever its number.
TEST_P(Rfc9146PeerAddress, EpochsCountBeforeNumbers) {
  if (!is13()) GTEST_SKIP() << "DTLS 1.2 has one encrypted epoch";
  Pair pair = connected_pair(with_ids());
  for (int i = 0; i < 3; ++i) receive(pair.server, pair.client.seal(bytes_of("data")));
  const Buffer old = pair.client.seal(bytes_of("data"));
  pair.client.settle(
      pair.client.connection().update_keys(dtls::KeyUpdateRequest::update_not_requested, {}), {});
  pair.run();
  EXPECT_TRUE(receive(pair.server, pair.client.seal(bytes_of("data"))).newest_record);
  const Pending pending = receive(pair.server, old);
  EXPECT_TRUE(pending.record_opened);
  EXPECT_FALSE(pending.newest_record);
}

INSTANTIATE_TEST_SUITE_P(Versions, Rfc9146PeerAddress, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
