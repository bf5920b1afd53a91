// What connections with an ID take in an Endpoint, and what datagrams from elsewhere leave there:
// nothing. libcrypto's allocations count as well.
#include <gtest/gtest.h>

#include <array>

#include "support/allocations.h"
#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoint_host.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::Bytes;
using dtls::Instant;
using dtls::UdpPath;

// The connection, and its entries in the indexes and in the heap of timers. The slots are those of
// the first connection: 256 are allocated at once.
constexpr std::int64_t kIdleConnection = 490;

// A server in an Environment that keeps the ciphers of one connection, and clients of its own.
class IdMemory : public ByVersion {
 protected:
  static dtls::ConfigPtr config(std::size_t id_size) {
    dtls::ConfigOptions with_psk = options();
    with_psk.identities = {};
    with_psk.pre_shared_keys = {
        must(dtls::PreSharedKey::make(bytes_of("device"), Buffer(16, std::byte{42})))};
    with_psk.cipher_suites = {is13() ? dtls::CipherSuite::aes_128_gcm_sha256
                                     : dtls::CipherSuite::psk_with_aes_128_ccm_8};
    with_psk.connection_id_size = id_size;
    with_psk.return_routability = dtls::ReturnRoutability::none;
    return make_config(with_psk);
  }

  Peer client() { return make_client(client_config_); }
  // Carries datagrams to and fro.
  void connect(Peer& client, const UdpPath& path) {
    for (bool moved = true; moved;) {
      moved = false;
      for (Buffer& datagram : client.take_datagrams()) {
        receive(datagram, path);
        moved = true;
      }
    }
    ASSERT_TRUE(client.connected);
  }
  void receive(Buffer& datagram, const UdpPath& path) {
    endpoint_.handle_datagram(datagram, path, now_);
    drain();
  }
  void drain() {
    while (endpoint_.poll_data()) ++data_;
    while (endpoint_.poll_event()) {
    }
    while (const auto sent = endpoint_.poll_transmit(out_)) {
      if (answered_ == nullptr) continue;
      answered_->receive(Buffer(out_.begin(), out_.begin() + static_cast<long>(sent->size)), now_);
    }
    while (endpoint_.poll_event()) {
    }
  }
  void let_timers_expire() {
    while (const auto next = endpoint_.next_timeout()) {
      now_ = *next;
      endpoint_.handle_timeout(now_);
      drain();
    }
  }
  Peer connected(const UdpPath& path) {
    Peer peer = client();
    answered_ = &peer;
    connect(peer, path);
    answered_ = nullptr;
    return peer;
  }

  dtls::ConfigPtr client_config_ = config(0);
  dtls::Environment environment_ = must(dtls::Environment::make({.max_warm_connections = 1}));
  dtls::Endpoint endpoint_ = must(dtls::Endpoint::make(
      {.server = config(8), .peer_move = dtls::PeerMove::newer_record, .max_half_open_per_host = 0},
      environment_));
  std::array<std::byte, dtls::kMaxDatagram> out_{};
  Peer* answered_ = nullptr;
  Instant now_{};
  std::size_t data_ = 0;
};

TEST_P(IdMemory, AnIdleConnectionIsSmall) {
  constexpr std::uint32_t kCount = 192;  // three of four entries of the index are in use
  {
    const Peer first = connected(path_of(0));
  }
  let_timers_expire();
  const auto before = allocations().bytes;
  for (std::uint32_t i = 1; i <= kCount; ++i) {
    const Peer peer = connected(path_of(i));
    let_timers_expire();
  }
  ASSERT_EQ(endpoint_.size(), kCount + 1);
  const auto each = (allocations().bytes - before) / kCount;
  RecordProperty("bytes_each", static_cast<int>(each));
  EXPECT_LE(each, kIdleConnection);
}

TEST_P(IdMemory, ForgeriesFromElsewhereLeaveNothing) {
  Peer peer = connected(path_of(1));
  let_timers_expire();
  Buffer datagram = peer.seal(bytes_of("data"));
  receive(datagram, path_of(1));
  Buffer forged = peer.seal(bytes_of("data"));
  forged.back() ^= std::byte{1};
  Buffer copy = forged;
  receive(copy, path_of(2));
  const auto before = allocations().bytes;
  for (std::uint32_t i = 3; i < 1000; ++i) {
    std::ranges::copy(forged, copy.begin());
    receive(copy, path_of(i));
  }
  EXPECT_EQ(allocations().bytes, before);
  EXPECT_EQ(data_, 1U);
}

TEST_P(IdMemory, MovesLeaveNothing) {
  Peer peer = connected(path_of(1));
  let_timers_expire();
  std::int64_t settled = 0;
  for (std::uint32_t i = 0; i < 100; ++i) {
    {
      Buffer datagram = peer.seal(bytes_of("data"));
      receive(datagram, path_of(1 + i % 10));
    }
    if (i < 10) settled = allocations().bytes;
    EXPECT_LE(allocations().bytes, settled);
  }
  EXPECT_EQ(data_, 100U);
  EXPECT_EQ(endpoint_.statistics().moves, 99U);
}

TEST_P(IdMemory, RetiredIdsLeaveNothing) {
  if (!is13()) GTEST_SKIP() << "DTLS 1.2 has one ID";
  Peer peer = connected(path_of(1));
  let_timers_expire();
  answered_ = &peer;
  const dtls::ConnectionHandle handle = endpoint_.find(path_of(1)).value();
  std::int64_t settled = 0;
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(endpoint_.apply(
        handle, [&](dtls::Connection& known) { return known.renew_connection_id(now_); }));
    drain();
    // There is no next one before the peer's ACK.
    now_ = peer.connection().next_timeout().value();
    peer.settle(peer.connection().handle_timeout(now_), now_);
    connect(peer, path_of(1));
    Buffer datagram = peer.seal(bytes_of("data"));
    receive(datagram, path_of(1));
    let_timers_expire();
    datagram = Buffer();
    if (i == 50) settled = allocations().bytes;
  }
  EXPECT_EQ(data_, 500U);
  EXPECT_EQ(endpoint_.find(handle)->own_connection_ids().size(), 2 * dtls::kMaxSpareConnectionIds)
      << "so many that others were retired";
  EXPECT_LE(allocations().bytes, settled);
}

INSTANTIATE_TEST_SUITE_P(Versions, IdMemory, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
