// Connection IDs in both versions (RFC 9146, RFC 9147 sections 4 and 9).
#include <algorithm>
#include <functional>

#include "record/header12.h"
#include "record/header13.h"
#include "support/connections.h"
#include "support/listening_server.h"
#include "support/middlebox.h"
#include "support/record_access.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

using dtls::Alert;
using dtls::Buffer;
using dtls::Bytes;
using dtls::ConnectionId;
using dtls::Discard;
using dtls::Errc;
using dtls::Role;

constexpr std::uint16_t kConnectionId = 54;

// The IDs of a datagram's encrypted records. `size` is that of the IDs that the receiver asks for.
std::vector<Buffer> ids_in(Bytes datagram, std::size_t size) {
  std::vector<Buffer> ids;
  while (!datagram.empty()) {
    std::size_t whole = datagram.size();
    if (dtls::record::Header13::is_unified(datagram.front())) {
      const auto header = dtls::record::Header13::decode(datagram, size).value();
      ids.push_back(copy_of(header.connection_id_in(datagram)));
      whole = header.size + header.length;
    } else {
      const auto header = dtls::record::Header12::decode(datagram, size).value();
      const bool is_encrypted = header.epoch != dtls::wire::kPlaintextEpoch;
      EXPECT_TRUE(is_encrypted || header.type != dtls::record::kTls12Cid);
      if (is_encrypted) ids.push_back(copy_of(header.connection_id));
      whole = header.size() + header.length;
    }
    datagram = datagram.subspan(whole);
  }
  return ids;
}

// Keeps the extension of each hello that is sent, and may change it.
struct Hook final : dtls::HelloHook {
  using Alter = std::function<void(std::vector<dtls::HelloExtension>&)>;
  explicit Hook(Alter change = {}) : alter(std::move(change)) {}

  void on_sending(dtls::OutgoingHello& hello) const override {
    if (alter) alter(hello.extensions);
    const auto found =
        std::ranges::find(hello.extensions, kConnectionId, &dtls::HelloExtension::type);
    sent.push_back(found != hello.extensions.end() ? to_hex(found->data) : "none");
  }

  Alter alter;
  mutable std::vector<std::string> sent;
};

Hook::Alter setting(const std::string& data) {
  return [data](std::vector<dtls::HelloExtension>& extensions) {
    std::erase_if(extensions, [](const auto& one) { return one.type == kConnectionId; });
    extensions.push_back({kConnectionId, from_hex(data)});
  };
}

class Rfc9146 : public ByVersion {
 protected:
  static dtls::ConfigOptions asking_for(std::optional<std::size_t> size) {
    dtls::ConfigOptions asking = options();
    asking.connection_id_size = size;
    return asking;
  }
  static Pair pair_of(std::optional<std::size_t> clients, std::optional<std::size_t> servers) {
    return {asking_for(clients), asking_for(servers)};
  }
  static const ConnectionId& own_of(const Peer& peer) { return peer.connected->own_connection_id; }
  static const ConnectionId& peers_of(const Peer& peer) {
    return peer.connected->peer_connection_id;
  }
  // A client whose hello, or a server's, is changed.
  static testing::AssertionResult is_refused(Role changed, const std::string& data,
                                             std::optional<std::size_t> size, Errc code,
                                             Alert alert) {
    dtls::ConfigOptions changing = asking_for(size);
    changing.hello_hook = std::make_shared<Hook>(setting(data));
    const bool is_client = changed == Role::client;
    Pair pair(is_client ? changing : asking_for(size), is_client ? asking_for(size) : changing);
    pair.run();
    return failed(is_client ? pair.server : pair.client, code, alert);
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, Rfc9146, both_versions(), name_of_version);

// Section 3: each side sends what the other has asked for, in each encrypted record and in no
// other.
TEST_P(Rfc9146, EachSideSendsTheIdThatTheOtherAskedFor) {
  for (const auto& [clients, servers] :
       {std::pair{8U, 3U}, {0U, 8U}, {8U, 0U}, {0U, 0U}, {1U, 255U}, {255U, 20U}}) {
    Pair pair = pair_of(clients, servers);
    std::vector<Buffer> of_clients;
    std::vector<Buffer> of_servers;
    exchange_through(
        [&](Role sender, Buffer datagram) {
          const bool from_client = sender == Role::client;
          for (Buffer& id : ids_in(datagram, from_client ? servers : clients)) {
            (from_client ? of_clients : of_servers).push_back(std::move(id));
          }
          return std::vector<Buffer>{std::move(datagram)};
        },
        pair.client, pair.server);
    ASSERT_TRUE(works(pair)) << clients << " " << servers;
    EXPECT_EQ(own_of(pair.client).size(), clients);
    EXPECT_EQ(own_of(pair.server).size(), servers);
    EXPECT_EQ(own_of(pair.client), peers_of(pair.server));
    EXPECT_EQ(own_of(pair.server), peers_of(pair.client));
    EXPECT_FALSE(of_clients.empty() || of_servers.empty());
    for (const auto& [ids, expected] : {std::pair{&of_clients, own_of(pair.server)},
                                        std::pair{&of_servers, own_of(pair.client)}}) {
      EXPECT_TRUE(std::ranges::all_of(
          *ids, [&](const Buffer& id) { return to_hex(id) == to_hex(expected.bytes()); }));
    }
    EXPECT_EQ(to_hex(ids_in(pair.client.seal(bytes_of("data")), servers).front()),
              to_hex(own_of(pair.server).bytes()));
  }
}

TEST_P(Rfc9146, WithoutBothThereAreNone) {
  const std::optional<std::size_t> none;
  for (const auto& [clients, servers] :
       {std::pair{none, none}, {none, std::optional(8UL)}, {std::optional(8UL), none}}) {
    Pair pair = pair_of(clients, servers);
    pair.run();
    ASSERT_TRUE(works(pair));
    for (const Peer* peer : {&pair.client, &pair.server}) {
      EXPECT_TRUE(own_of(*peer).empty());
      EXPECT_TRUE(peers_of(*peer).empty());
    }
    EXPECT_TRUE(ids_in(pair.client.seal(bytes_of("data")), 0).front().empty());
  }
}

// Section 3: "the datagram MUST be treated as invalid".
TEST_P(Rfc9146, ARecordWithoutTheIdIsDiscarded) {
  for (const std::string_view wrong : {"", "0102030405060708"}) {
    Pair pair = pair_of(8, 8);
    pair.run();
    ASSERT_TRUE(works(pair));
    const std::size_t before = pair.server.data.size();
    auto& records = records_of(pair.client.connection());
    const Buffer own = copy_of(records.connection_ids().own());
    const Buffer peers = copy_of(records.connection_ids().peers());
    records.set_connection_ids(own, from_hex(std::string(wrong)));
    pair.server.receive(pair.client.seal(bytes_of("data")), {});
    EXPECT_EQ(discards(pair.server, Discard::wrong_connection_id), 1U);
    EXPECT_EQ(pair.server.data.size(), before);
    EXPECT_FALSE(pair.server.error);
    records.set_connection_ids(own, peers);
    EXPECT_TRUE(works(pair));
  }
}

// RFC 9147 section 9: "MUST reject any records it receives that contain a CID".
TEST_P(Rfc9146, ARecordWithAnIdThatWasNotAskedForIsDiscarded) {
  for (const std::optional<std::size_t> servers : {std::optional<std::size_t>(), {0}}) {
    Pair pair = pair_of(8, servers);
    pair.run();
    ASSERT_TRUE(works(pair));
    auto& records = records_of(pair.client.connection());
    const Buffer own = copy_of(records.connection_ids().own());
    records.set_connection_ids(own, from_hex("0102030405060708"));
    pair.server.receive(pair.client.seal(bytes_of("data")), {});
    EXPECT_EQ(pair.server.connection().statistics().total_discarded(), 1U);
    EXPECT_FALSE(pair.server.error);
    records.set_connection_ids(own, {});
    EXPECT_TRUE(works(pair));
  }
}

// The client's first and second hello say the same, and a cookie covers the extension.
TEST_P(Rfc9146, ASecondHelloRepeatsTheId) {
  dtls::ConfigOptions asking = asking_for(8);
  const auto hook = std::make_shared<Hook>();
  asking.hello_hook = hook;
  const Buffer address = from_hex("7f000001");
  ListeningServer server(make_config(asking_for(4)));
  Peer client = make_client(make_config(asking));
  exchange(client, address, server);
  ASSERT_TRUE(client.connected);
  EXPECT_TRUE(works(client, address, server));
  ASSERT_EQ(hook->sent.size(), 2U);
  EXPECT_EQ(hook->sent[0], "08" + to_hex(own_of(client).bytes()));
  EXPECT_EQ(hook->sent[0], hook->sent[1]);
  EXPECT_EQ(peers_of(client).size(), 4U);
  EXPECT_EQ(own_of(*server.connection(address)), peers_of(client));
}

// Section 3: "When a DTLS session is resumed [...] the "connection_id" extension is negotiated
// afresh".
TEST_P(Rfc9146, ResumptionNegotiatesAfresh) {
  dtls::ConfigOptions client = with_tickets(asking_for(8));
  const dtls::ConfigOptions server = client;
  client.ticket_keys = {};
  Pair first(client, server);
  first.run();
  ASSERT_TRUE(works(first));
  ASSERT_EQ(first.client.sessions.size(), 1U);
  for (const std::optional<std::size_t> size : {std::optional<std::size_t>(), {0}, {8}, {5}}) {
    client.connection_id_size = size;
    const Pair second = resumed_pair(client, server, first.client.sessions[0]);
    EXPECT_TRUE(second.client.connected->resumed);
    EXPECT_EQ(own_of(second.client).size(), size.value_or(0));
    EXPECT_EQ(own_of(second.server).size(), size ? 8U : 0U);
    EXPECT_NE(own_of(second.client), own_of(first.client));
    EXPECT_NE(own_of(second.server), own_of(first.server));
  }
}

TEST_P(Rfc9146, AnUnsolicitedAnswerIsFatal) {
  dtls::ConfigOptions answering = options();
  answering.hello_hook = std::make_shared<Hook>(setting("00"));
  Pair pair(options(), answering);
  pair.run();
  EXPECT_TRUE(failed(pair.client, Errc::unsupported_extension, Alert::unsupported_extension));
}

TEST_P(Rfc9146, AnExtensionThatAHookHasRemovedIsNotToBeAnswered) {
  dtls::ConfigOptions client = asking_for(8);
  client.hello_hook = std::make_shared<Hook>([](auto& extensions) {
    std::erase_if(extensions, [](const auto& one) { return one.type == kConnectionId; });
  });
  dtls::ConfigOptions server = options();
  server.hello_hook = std::make_shared<Hook>(setting("00"));
  Pair pair(client, server);
  pair.run();
  EXPECT_TRUE(failed(pair.client, Errc::unsupported_extension, Alert::unsupported_extension));
}

// Section 3: opaque cid<0..2^8-1>, and nothing after it.
TEST_P(Rfc9146, AMalformedExtensionIsFatal) {
  for (const Role role : kRoles) {
    for (const auto* const data : {"", "01", "0800", "0000", "0101ff"}) {
      EXPECT_TRUE(is_refused(role, data, 8, Errc::decode_error, Alert::decode_error)) << data;
    }
  }
}

// A server that does not want the extension does not read it.
TEST_P(Rfc9146, AServerIgnoresWhatItDoesNotWant) {
  dtls::ConfigOptions client = options();
  client.hello_hook = std::make_shared<Hook>(setting("0800"));
  Pair pair(client, options());
  pair.run();
  EXPECT_TRUE(works(pair));
}

// Handshakes succeed whatever the sizes, also where little more than the ID fits into a datagram.
TEST_P(Rfc9146, DatagramsKeepToTheMtu) {
  for (const std::size_t mtu : {dtls::kMinimumMtu, std::size_t{600}}) {
    for (const std::size_t size : {8U, 255U}) {
      dtls::ConfigOptions small = asking_for(size);
      small.mtu = mtu;
      Pair pair(small);
      exchange_through(
          [&](Role /*sender*/, Buffer datagram) {
            EXPECT_LE(datagram.size(), std::max(mtu, dtls::kMinimumMtu + size));
            return std::vector<Buffer>{std::move(datagram)};
          },
          pair.client, pair.server);
      EXPECT_TRUE(works(pair)) << mtu << " " << size;
    }
  }
}

TEST_P(Rfc9146, SealedSizeIncludesTheId) {
  Pair pair = pair_of(255, 20);
  pair.run();
  ASSERT_TRUE(works(pair));
  for (Peer* peer : {&pair.client, &pair.server}) {
    const std::size_t size = peer->connection().sealed_size(100);
    EXPECT_EQ(peer->seal(counted(100)).size(), size);
    Buffer out(size - 1);
    const auto sealed = peer->connection().seal(counted(100), out);
    ASSERT_FALSE(sealed);
    EXPECT_EQ(sealed.error(), dtls::SendError::buffer_too_small);
    const std::size_t most = dtls::kMaxApplicationData - (is13() ? 0 : 1);
    EXPECT_EQ(peer->connected->max_application_data, most);
  }
}

// RFC 9146 section 4: padding hides the length in DTLS 1.2 as well.
TEST_P(Rfc9146, RecordsArePadded) {
  dtls::ConfigOptions padding = asking_for(8);
  padding.record_padding = 64;
  Pair pair(padding);
  pair.run();
  ASSERT_TRUE(works(pair));
  const std::size_t size = pair.client.seal({}).size();
  EXPECT_EQ(pair.client.seal(counted(63)).size(), size);
  EXPECT_EQ(pair.client.seal(counted(64)).size(), size + 64);
  pair.server.receive(pair.client.seal(counted(63)), {});
  EXPECT_EQ(pair.server.data.back(), counted(63));
}

// Records may come before the ServerHello that says how to read them.
TEST_P(Rfc9146, WhatOvertakesTheServerHelloIsKept) {
  dtls::ConfigOptions client = with_tickets(asking_for(8));
  dtls::ConfigOptions server = client;
  client.ticket_keys = {};
  Pair first(client, server);
  first.run();
  ASSERT_EQ(first.client.sessions.size(), 1U);
  for (const std::optional<std::size_t> servers : {std::optional<std::size_t>(), {0}, {8}}) {
    server.connection_id_size = servers;
    Pair pair = second_pair(client, server, first.client.sessions[0]);
    pair.flight(pair.client);
    Buffer flight;
    for (const Buffer& datagram : pair.server.take_datagrams()) {
      flight.insert(flight.end(), datagram.begin(), datagram.end());
    }
    const auto hello = dtls::record::Header12::decode(flight).value();
    const std::size_t end_of_hello = hello.size() + hello.length;
    pair.client.receive(copy_of(Bytes(flight).subspan(end_of_hello)), {});
    pair.client.receive(copy_of(Bytes(flight).first(end_of_hello)), {});
    EXPECT_EQ(pair.client.connection().statistics().total_discarded(), 0U);
    EXPECT_FALSE(pair.client.take_datagrams().empty()) << "it has read all of the flight";
  }
}

// Loss, reordering and duplicates do no harm.
TEST_P(Rfc9146, AHandshakeOverALossyPathCompletes) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    dtls::ConfigOptions small = asking_for(8);
    small.mtu = 400;
    Pair pair(small);
    VirtualNetwork network({.loss = 0.1, .duplicate = 0.1, .jitter = std::chrono::milliseconds{80}},
                           seed);
    network.run_handshake(pair.client, pair.server, std::chrono::seconds{60});
    EXPECT_TRUE(works(pair));
  }
}

// A silent connection loses its ciphers, not its IDs.
TEST_P(Rfc9146, AColdConnectionKeepsItsIds) {
  dtls::Environment environment = must(dtls::Environment::make({.max_warm_connections = 1}));
  const auto config = make_config(asking_for(8));
  Peer client(must(dtls::Connection::client(config, environment, kPath, {})));
  Peer server(must(dtls::Connection::server(config, environment, kPath, {})));
  exchange(client, server);
  ASSERT_TRUE(client.connected && server.connected);
  for (int i = 0; i < 3; ++i) {
    server.receive(client.seal(bytes_of("data")), {});
    client.receive(server.seal(bytes_of("data")), {});
  }
  EXPECT_EQ(server.data.size(), 3U);
  EXPECT_EQ(client.data.size(), 3U);
}

// ---- where the IDs come from

class CountingSource final : public dtls::ConnectionIdSource {
 public:
  explicit CountingSource(std::size_t size) : size_(size) {}
  [[nodiscard]] std::size_t size() const override { return size_; }
  dtls::Result<void> make(dtls::MutableBytes out) override {
    if (fails) return tl::unexpected(dtls::Error{Errc::libcrypto_failure});
    ++made;
    std::ranges::fill(out, static_cast<std::byte>(made));
    return {};
  }

  bool fails = false;
  int made = 0;

 private:
  std::size_t size_;
};

TEST_P(Rfc9146, ASourceMakesTheIds) {
  CountingSource source(4);
  const auto config = make_config(asking_for(4));
  Peer client(must(dtls::Connection::client(config, environment(), kPath, {}, {}, &source)));
  Peer server(must(dtls::Connection::server(config, environment(), kPath, {}, &source)));
  exchange(client, server);
  ASSERT_TRUE(client.connected && server.connected);
  EXPECT_EQ(source.made, 2);
  EXPECT_EQ(to_hex(own_of(client).bytes()), "01010101");
  EXPECT_EQ(to_hex(own_of(server).bytes()), "02020202");
}

TEST_P(Rfc9146, ASourceIsNotAskedInVain) {
  CountingSource source(4);
  for (const std::optional<std::size_t> size : {std::optional<std::size_t>(), {0}}) {
    const auto config = make_config(asking_for(size));
    Peer client(must(dtls::Connection::client(config, environment(), kPath, {}, {}, &source)));
    Peer server(must(dtls::Connection::server(config, environment(), kPath, {}, &source)));
    exchange(client, server);
    EXPECT_TRUE(client.connected && server.connected);
  }
  EXPECT_EQ(source.made, 0);
}

TEST_P(Rfc9146, ASourceOfAnotherSizeIsRefused) {
  CountingSource source(4);
  const auto config = make_config(asking_for(8));
  const auto client = dtls::Connection::client(config, environment(), kPath, {}, {}, &source);
  const auto server = dtls::Connection::server(config, environment(), kPath, {}, &source);
  for (const auto* outcome : {&client, &server}) {
    ASSERT_FALSE(*outcome);
    EXPECT_EQ(outcome->error().code, Errc::invalid_config);
    EXPECT_TRUE(outcome->error().detail.starts_with("connection_id_size"));
  }
}

TEST_P(Rfc9146, AFailingSourceEndsTheHandshake) {
  CountingSource source(4);
  source.fails = true;
  const auto config = make_config(asking_for(4));
  EXPECT_FALSE(dtls::Connection::client(config, environment(), kPath, {}, {}, &source));
  Peer client = make_client(config);
  Peer server(must(dtls::Connection::server(config, environment(), kPath, {}, &source)));
  exchange(client, server);
  ASSERT_TRUE(server.error);
  EXPECT_EQ(server.error->code, Errc::libcrypto_failure);
}

TEST(ConnectionIdSize, HasALimit) {
  dtls::ConfigOptions asking = options();
  asking.connection_id_size = dtls::kMaxConnectionId;
  EXPECT_TRUE(dtls::Config::make(asking));
  asking.connection_id_size = dtls::kMaxConnectionId + 1;
  const auto refused = dtls::Config::make(asking);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().detail.starts_with("connection_id_size"));
}

}  // namespace
}  // namespace sluice::test
