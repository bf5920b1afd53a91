// What a connection costs in memory. libcrypto's allocations count as well.
#include "support/allocations.h"
#include "support/connections.h"

namespace sluice::dtls {
namespace {

using test::allocations;
using test::bytes_of;
using test::connected_pair;
using test::Pair;
using test::Peer;
using test::unaccepted_pair;

// Before anything has called libcrypto.
const bool kCountsLibcrypto = test::count_libcrypto();

// How many bytes `make` has left allocated.
template <class Make>
std::int64_t left_by(Make&& make) {
  const auto before = allocations().bytes;
  make();
  return allocations().bytes - before;
}

// A connection alone, without the lists in which Peer keeps what it saw.
struct Lean {
  Lean(const ConfigPtr& config, Role role, Environment& environment = test::environment())
      : connection(test::must(role == Role::client
                                  ? Connection::client(config, environment, test::kPath, {})
                                  : Connection::server(config, environment, test::kPath, {}))) {}

  void receive(MutableBytes datagram, Instant now = {}) {
    ASSERT_TRUE(connection.handle_datagram(datagram, test::kPath, now));
    take_outputs();
  }
  void take_outputs() {
    while (connection.poll_data()) ++data;
    while (const auto event = connection.poll_event()) {
      if (std::holds_alternative<Connected>(*event)) connected = true;
    }
  }
  // One datagram into `out`.
  MutableBytes send(MutableBytes out) {
    const auto sent = connection.poll_transmit(out);
    if (!sent) take_outputs();
    return out.first(sent ? sent->size : 0);
  }

  Connection connection;
  bool connected = false;
  int data = 0;
};

void exchange(Lean& client, Lean& server) {
  static std::array<std::byte, kMaxDatagram> wire;
  for (bool moved = true; moved;) {
    moved = false;
    for (Lean* from : {&client, &server}) {
      for (MutableBytes datagram = from->send(wire); !datagram.empty();
           datagram = from->send(wire)) {
        (from == &client ? server : client).receive(datagram);
        moved = true;
      }
    }
  }
}

class Memory : public test::ByVersion {
 protected:
  void SetUp() override {
    ASSERT_TRUE(kCountsLibcrypto);
    // What libcrypto allocates once, a whole handshake has touched.
    Lean client(config_, Role::client);
    Lean server(config_, Role::server);
    accept_by_fingerprint(client, server);
    exchange(client, server);
    ASSERT_TRUE(client.connected && server.connected);
  }
  void accept_by_fingerprint(Lean& client, Lean& server) {
    for (Lean* side : {&client, &server}) {
      ASSERT_TRUE(side->connection.set_peer_fingerprints(std::span(&fingerprint_, 1), {}));
    }
  }

  // What a server takes after another connection has become the only warm one.
  static std::int64_t bytes_of_a_cold_server(const ConfigPtr& config,
                                             std::span<const Fingerprint> fingerprints) {
    Environment environment = test::must(Environment::make({.max_warm_connections = 1}));
    Lean client(config, Role::client, environment);
    Lean server(config, Role::server, environment);
    for (Lean* side : {&client, &server}) {
      if (fingerprints.empty()) continue;
      EXPECT_TRUE(side->connection.set_peer_fingerprints(fingerprints, {}));
    }
    exchange(client, server);
    EXPECT_TRUE(client.connected && server.connected);
    Buffer datagram(100);
    const auto sealed = client.connection.seal(bytes_of("data"), datagram);
    server.receive(MutableBytes(datagram).first(sealed.value()));
    while (const auto next = server.connection.next_timeout()) {
      EXPECT_TRUE(server.connection.handle_timeout(*next));
    }
    EXPECT_TRUE(client.connection.seal(bytes_of("the server goes cold"), datagram));
    datagram = Buffer();
    return left_by([&] { const Lean other(std::move(server)); }) * -1;
  }

  ConfigPtr config_ = test::make_config(options());
  Fingerprint fingerprint_ = test::must(Fingerprint::of(
      test::ecdsa_identity().certificate(), HashAlgorithm::sha256, test::environment()));
};

INSTANTIATE_TEST_SUITE_P(Versions, Memory, test::both_versions(), test::name_of_version);

TEST_P(Memory, AConnectionGivesBackAllThatItTook) {
  EXPECT_EQ(left_by([&] {
              Lean client(config_, Role::client);
              Lean server(config_, Role::server);
              accept_by_fingerprint(client, server);
              exchange(client, server);
            }),
            0);
}

TEST_P(Memory, AnAbandonedHandshakeGivesBackAllThatItTook) {
  const auto abandon_each = [&] {
    for (int flights = 0; flights < 4; ++flights) {
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
      std::array<std::byte, kMaxDatagram> wire;
      Lean client(config_, Role::client);
      Lean server(config_, Role::server);
      for (int i = 0; i < flights; ++i) {
        (i % 2 == 0 ? server : client).receive((i % 2 == 0 ? client : server).send(wire));
      }
    }
  };
  abandon_each();  // leaves the Environment's contexts as they will be again
  EXPECT_EQ(left_by(abandon_each), 0);
}

// What remains of a handshake: keys, numbers, the replay window, and what answers a retransmitted
// last flight: in DTLS 1.3 the keys of epoch 2, so that it can be read. The two GCM contexts are
// 2 x 1.2 kB of that, in DTLS 1.3 with 2 x 0.3 kB for the record numbers.
TEST_P(Memory, OfTheHandshakeNothingIsLeftWhenItEnds) {
  Lean client(config_, Role::client);
  Lean server(config_, Role::server);
  accept_by_fingerprint(client, server);
  const std::int64_t fresh = allocations().bytes;
  test::reset_peak();
  exchange(client, server);
  ASSERT_TRUE(client.connected && server.connected);
  const std::int64_t connected = allocations().bytes;
  const std::int64_t peak = allocations().peak_bytes;
  RecordProperty("bytes_more_when_connected", static_cast<int>(connected - fresh));
  RecordProperty("bytes_more_at_peak", static_cast<int>(peak - fresh));
  EXPECT_GT(peak - fresh, 8'000) << "the handshake needs some";

  // The first data shows a server of DTLS 1.2 that the client has its last flight; of 1.3 only
  // time.
  Buffer datagram(100);
  const auto sealed = client.connection.seal(bytes_of("data"), datagram);
  server.receive(MutableBytes(datagram).first(sealed.value()));
  datagram = Buffer();
  if (is13()) {
    ASSERT_TRUE(server.connection.handle_timeout(server.connection.next_timeout().value()));
  }
  const std::int64_t idle = allocations().bytes;
  EXPECT_LT(idle, connected) << "the last flight";

  const std::int64_t a_server = left_by([&] { const Lean other(std::move(server)); }) * -1;
  const std::int64_t a_client = left_by([&] { const Lean other(std::move(client)); }) * -1;
  RecordProperty("bytes_an_idle_server", static_cast<int>(a_server));
  RecordProperty("bytes_an_idle_client", static_cast<int>(a_client));
  EXPECT_LT(a_server, 4'500);
  EXPECT_LT(a_client, 4'500);
}

// One block: the secrets, record numbers and counts, and who the peer is.
constexpr std::int64_t kColdConnection = 440;

TEST_P(Memory, WhoGoesColdGivesItsCiphersBack) {
  const std::int64_t bytes = bytes_of_a_cold_server(config_, std::span(&fingerprint_, 1));
  RecordProperty("bytes_a_cold_server", static_cast<int>(bytes));
  EXPECT_LE(bytes, kColdConnection);
}

TEST_P(Memory, ARestoredConnectionTakesNoMoreThanAnotherColdOne) {
  Lean client(config_, Role::client);
  Lean server(config_, Role::server);
  accept_by_fingerprint(client, server);
  exchange(client, server);
  Buffer datagram(100);
  const auto sealed = client.connection.seal(bytes_of("data"), datagram);
  server.receive(MutableBytes(datagram).first(sealed.value()));
  // The keys of the handshake go.
  while (const auto next = server.connection.next_timeout()) {
    ASSERT_TRUE(server.connection.handle_timeout(*next));
  }
  auto state = test::must(std::move(server.connection).export_session());
  std::optional<Connection> restored = test::must(
      Connection::restore(config_, test::environment(), std::move(state), test::kPath, Instant{}));
  const std::int64_t bytes = left_by([&] { restored.reset(); }) * -1;
  RecordProperty("bytes_a_restored_server", static_cast<int>(bytes));
  EXPECT_LE(bytes, kColdConnection);
}

TEST_P(Memory, APeerWithAPskTakesNoMoreThanOneWithACertificate) {
  ConfigOptions options = this->options();
  options.identities = {};
  options.srtp_profiles = {};
  options.pre_shared_keys = {
      test::must(PreSharedKey::make(bytes_of("a device with a long name 000001"), Buffer(32)))};
  options.cipher_suites = {CipherSuite::aes_128_gcm_sha256,
                           CipherSuite::psk_with_aes_128_gcm_sha256};
  const std::int64_t bytes = bytes_of_a_cold_server(test::make_config(options), {});
  RecordProperty("bytes_a_cold_server", static_cast<int>(bytes));
  EXPECT_LE(bytes, kColdConnection);
}

// Longer ones take one allocation. An Endpoint adds 8 to 16 bytes to find a connection by its ID.
TEST_P(Memory, ConnectionIdsOf8BytesTakeNoAllocation) {
  const auto bytes_with = [&](std::size_t size) {
    ConfigOptions with_ids = config_->options();
    with_ids.connection_id_size = size;
    return bytes_of_a_cold_server(test::make_config(with_ids), std::span(&fingerprint_, 1));
  };
  const std::int64_t without = bytes_of_a_cold_server(config_, std::span(&fingerprint_, 1));
  EXPECT_EQ(bytes_with(8), without);
  const std::int64_t more = bytes_with(10) - without;
  EXPECT_GT(more, 0);
  EXPECT_LE(more, 32);
}

TEST_P(Memory, TheLastFlightGoesWithItsTime) {
  Lean client(config_, Role::client);
  Lean server(config_, Role::server);
  accept_by_fingerprint(client, server);
  exchange(client, server);
  const auto expires = server.connection.next_timeout();
  ASSERT_TRUE(expires);
  EXPECT_EQ(left_by([&] { server.connection.handle_timeout(*expires - Duration{1}); }), 0);
  EXPECT_LT(left_by([&] { server.connection.handle_timeout(*expires); }), 0);
  EXPECT_FALSE(server.connection.next_timeout());
  EXPECT_FALSE(client.connection.next_timeout()) << "the client has none to keep, or its ACK";
}

// For a million peers of the last four minutes: only the messages are kept. Who has lost them gets
// them again.
TEST_P(Memory, ALastFlightIsKeptAsItsMessages) {
  if (is13()) GTEST_SKIP() << "DTLS 1.3 has ACKs";
  Lean client(config_, Role::client);
  Lean server(config_, Role::server);
  accept_by_fingerprint(client, server);
  exchange(client, server);
  ASSERT_TRUE(server.connected);
  const auto expires = server.connection.next_timeout();
  ASSERT_TRUE(expires);
  const std::int64_t bytes = left_by([&] { server.connection.handle_timeout(*expires); }) * -1;
  RecordProperty("bytes_a_last_flight", static_cast<int>(bytes));
  EXPECT_LE(bytes, 208);
}

// A server whose ACK was lost has received the client's last flight again.
TEST_P(Memory, ARepeatedLastFlightLeavesNothingBehind) {
  if (!is13()) GTEST_SKIP() << "DTLS 1.2 has no ACKs";
  const auto bytes_of_a_server = [&](bool is_ack_lost) {
    Lean client(config_, Role::client);
    Lean server(config_, Role::server);
    accept_by_fingerprint(client, server);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
    std::array<std::byte, kMaxDatagram> wire;
    while (!server.connected) {
      server.receive(client.send(wire));
      if (!server.connected) client.receive(server.send(wire));
    }
    if (is_ack_lost) {
      server.send(wire);
      const Instant later = client.connection.next_timeout().value_or(Instant{});
      EXPECT_TRUE(client.connection.handle_timeout(later));
      server.receive(client.send(wire), later);
    }
    exchange(client, server);
    for (auto next = server.connection.next_timeout(); next;
         next = server.connection.next_timeout()) {
      EXPECT_TRUE(server.connection.handle_timeout(*next));
      server.send(wire);
    }
    return left_by([&] { const Lean other(std::move(server)); }) * -1;
  };
  EXPECT_EQ(bytes_of_a_server(true), bytes_of_a_server(false));
}

// Sealing, opening and delivering data touch no allocator.
TEST_P(Memory, ARecordInTheSteadyStateAllocatesNothing) {
  Lean client(config_, Role::client);
  Lean server(config_, Role::server);
  accept_by_fingerprint(client, server);
  exchange(client, server);
  Buffer wire(2000);
  const Buffer payload(1200);
  const auto pass = [&](Lean& from, Lean& to) {
    const auto size = from.connection.seal(payload, wire);
    to.receive(MutableBytes(wire).first(size.value_or(0)));
  };
  pass(client, server);
  pass(server, client);
  const auto before = allocations().count;
  for (int i = 0; i < 1000; ++i) {
    pass(client, server);
    pass(server, client);
    ASSERT_TRUE(client.connection.handle_timeout(Instant{Duration{i}}));
  }
  EXPECT_EQ(allocations().count, before);
  EXPECT_EQ(server.data, 1001);
  EXPECT_EQ(client.data, 1001);
}

// Neither do records that are to be dropped: a flood costs no memory.
TEST_P(Memory, ADiscardedRecordAllocatesNothing) {
  Lean client(config_, Role::client);
  Lean server(config_, Role::server);
  accept_by_fingerprint(client, server);
  exchange(client, server);
  Buffer sealed(100);
  sealed.resize(client.connection.seal(bytes_of("data"), sealed).value());
  Buffer wire = sealed;
  server.receive(wire);
  const auto flood = [&] {
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      std::ranges::copy(sealed, wire.begin());
      wire[i] ^= std::byte{0x20};
      server.receive(wire);
    }
    std::ranges::copy(sealed, wire.begin());
    server.receive(wire);
  };
  flood();
  // libcrypto makes an error entry of each refusal; those of a thread are used again.
  const auto bytes = allocations().bytes;
  for (int i = 0; i < 20; ++i) flood();
  EXPECT_EQ(allocations().bytes, bytes);
  EXPECT_EQ(server.data, 1);
}

}  // namespace
}  // namespace sluice::dtls
