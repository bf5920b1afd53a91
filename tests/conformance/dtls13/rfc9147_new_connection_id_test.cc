// NewConnectionId and RequestConnectionId (RFC 9147 section 9).
#include <algorithm>

#include "conformance/dtls13/vocabulary.h"
#include "message/new_connection_id.h"

namespace sluice::test {
namespace {

using dtls::ConnectionId;
using dtls::message::ConnectionIdUsage;

constexpr std::size_t kSize = 8;

dtls::ConfigOptions asking_for(std::optional<std::size_t> size) {
  dtls::ConfigOptions options = options13();
  options.connection_id_size = size;
  return options;
}

// Two connections that are quiet.
struct IdPair : TimedPair {
  explicit IdPair(std::optional<std::size_t> clients = kSize,
                  std::optional<std::size_t> servers = kSize)
      : TimedPair(asking_for(clients), asking_for(servers)) {
    connect();
  }

  // An input to one side, and all that follows from it.
  template <class Input>
  dtls::Result<dtls::Pending> tell(Role role, Input&& input) {
    Peer& peer = (*this)[role];
    auto outcome = input(peer.connection());
    if (outcome) peer.settle(outcome, now);
    run(now);
    settle_acks();
    return outcome;
  }
  // Delayed ACKs are sent.
  void settle_acks() {
    for (const Role role : kRoles) deliver(wait(role, 1s), other(role));
    run(now);
  }
  auto request(Role role, std::size_t count) {
    return tell(role, [&](dtls::Connection& c) { return c.request_connection_ids(count, now); });
  }
  auto renew(Role role) {
    return tell(role, [&](dtls::Connection& c) { return c.renew_connection_id(now); });
  }
  [[nodiscard]] std::size_t spares(Role role) {
    return (*this)[role].connection().spare_connection_ids();
  }
  std::vector<ConnectionId> own(Role role) {
    return (*this)[role].connection().own_connection_ids();
  }
  // The ID of what `role` sends now.
  ConnectionId sent_by(Role role) {
    return ConnectionId(Bytes((*this)[role].seal(bytes_of("data"))).subspan(1, kSize));
  }
  // What only one side can write, as a handshake message with the next number.
  void send_message(Role role, HandshakeType type, Bytes body, unsigned seq) {
    inject(role, records_of((*this)[role].connection()).write_epoch(), ContentType::handshake,
           message_of(type, seq, body));
  }
};

Buffer new_ids(std::initializer_list<Bytes> ids, ConnectionIdUsage usage) {
  std::vector<ConnectionId> list;
  for (const Bytes id : ids) list.emplace_back(id);
  Buffer body;
  dtls::wire::Writer out(body);
  dtls::message::put_new_connection_id(out, list, usage);
  return body;
}

TEST(Rfc9147_9_Request, GetsAsManySpares) {
  for (const Role role : kRoles) {
    IdPair pair;
    const Role peer = IdPair::other(role);
    ASSERT_EQ(pair.spares(role), 0U);
    ASSERT_TRUE(pair.request(role, 3));
    EXPECT_EQ(pair.spares(role), 3U);
    EXPECT_EQ(pair.own(peer).size(), 4U);
    EXPECT_EQ(pair.sent_by(role), pair.own(peer).front()) << "the present one stays in use";
    EXPECT_TRUE(works(pair));
    EXPECT_FALSE(pair[role].connection().next_timeout() && pair[role].error);
  }
}

// "Endpoints SHOULD use receiver-provided CIDs in the order they were provided."
TEST(Rfc9147_9_Spares, AreUsedInTheirOrder) {
  IdPair pair;
  ASSERT_TRUE(pair.request(Role::client, 3));
  const auto of_server = pair.own(Role::server);
  for (std::size_t i = 1; i < of_server.size(); ++i) {
    ASSERT_TRUE(pair.client.connection().change_connection_id());
    EXPECT_EQ(pair.sent_by(Role::client), of_server[i]);
    EXPECT_TRUE(works(pair));
    EXPECT_EQ(pair.server.connection().info()->own_connection_id, of_server[i]);
    EXPECT_EQ(pair.client.connection().info()->peer_connection_id, of_server[i]);
  }
  const auto none_left = pair.client.connection().change_connection_id();
  ASSERT_FALSE(none_left);
  EXPECT_EQ(none_left.error().code, Errc::invalid_argument);
  EXPECT_TRUE(works(pair));
}

// "Implementations SHOULD use a new CID whenever sending on a new path".
TEST(Rfc9147_9_Spares, ANewPathTakesOne) {
  IdPair pair;
  ASSERT_TRUE(pair.request(Role::client, 1));
  const auto of_server = pair.own(Role::server);
  pair.client.connection().set_path(pair.client.connection().path());
  EXPECT_EQ(pair.spares(Role::client), 1U);
  pair.client.connection().set_path(dtls::PathId{77});
  EXPECT_EQ(pair.sent_by(Role::client), of_server[1]);
  pair.client.connection().set_path(dtls::PathId{78});
  EXPECT_EQ(pair.sent_by(Role::client), of_server[1]) << "there is no other";
}

// Records are late sometimes: all IDs that were given remain valid.
TEST(Rfc9147_9_Spares, FormerIdsRemainValid) {
  IdPair pair;
  ASSERT_TRUE(pair.request(Role::client, 2));
  const Buffer late = pair.client.seal(bytes_of("late"));
  ASSERT_TRUE(pair.client.connection().change_connection_id());
  ASSERT_TRUE(works(pair));
  pair.server.receive(late, pair.now);
  EXPECT_EQ(pair.server.data.back(), buffer_of("late"));
  EXPECT_EQ(pair.server.connection().info()->own_connection_id,
            pair.client.connection().info()->peer_connection_id)
      << "it is not the newest";
}

// "An endpoint MAY handle requests which it considers excessive by responding with [...] fewer than
// num_cids CIDs, including no CIDs at all."
TEST(Rfc9147_9_Request, GetsNoMoreThanTheBound) {
  IdPair pair;
  ASSERT_TRUE(pair.request(Role::client, 255));
  EXPECT_EQ(pair.spares(Role::client), dtls::kMaxSpareConnectionIds);
  ASSERT_TRUE(pair.request(Role::client, 255)) << "the first one was answered";
  EXPECT_EQ(pair.spares(Role::client), dtls::kMaxSpareConnectionIds);
  EXPECT_EQ(pair.own(Role::server).size(), dtls::kMaxSpareConnectionIds + 1);
  ASSERT_TRUE(pair.request(Role::client, 1)) << "an answer without IDs is one";
  EXPECT_TRUE(works(pair));
}

TEST(Rfc9147_9_Spares, MoreThanTheBoundAreDropped) {
  IdPair pair;
  for (unsigned i = 0; i < 3; ++i) {
    const Buffer body =
        new_ids({counted(1), counted(2), counted(3), counted(4)}, ConnectionIdUsage::cid_spare);
    // The server's messages so far: none after the handshake, which had 5.
    const auto seq = 6 + i;
    pair.send_message(Role::server, HandshakeType::new_connection_id, body, seq);
  }
  ASSERT_FALSE(pair.client.error) << to_string(*pair.client.error);
  EXPECT_EQ(pair.spares(Role::client), dtls::kMaxSpareConnectionIds);
}

// "Endpoints MUST NOT send a RequestConnectionId message when an existing request is still
// unfulfilled".
TEST(Rfc9147_9_Request, IsNotRepeatedBeforeItIsFulfilled) {
  IdPair pair;
  auto& client = pair.client.connection();
  const auto first = client.request_connection_ids(2, pair.now);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->transmit);
  const auto second = client.request_connection_ids(2, pair.now);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::invalid_argument);
  EXPECT_FALSE(second.error().is_fatal);
  pair.run(pair.now);
  pair.settle_acks();
  EXPECT_EQ(pair.spares(Role::client), 2U);
  EXPECT_TRUE(client.request_connection_ids(2, pair.now));
}

// Section 5.8.4: "MUST NOT send [...] if an earlier message of the same type has not yet been
// acknowledged".
TEST(Rfc9147_5_8_4, OneNewConnectionIdIsOutstandingAtATime) {
  IdPair pair;
  for (int i = 0; i < 2; ++i) {
    pair.server.settle(pair.server.connection().renew_connection_id(pair.now), pair.now);
  }
  const auto first = pair.server.take_datagrams();
  EXPECT_EQ(first.size(), 1U);
  EXPECT_EQ(pair.own(Role::server).size(), 2U);
  pair.deliver(first, Role::client);
  pair.settle_acks();
  EXPECT_EQ(pair.own(Role::server).size(), 3U) << "the other one has followed";
  EXPECT_EQ(pair.sent_by(Role::client), pair.own(Role::server)[2]);
  EXPECT_TRUE(works(pair));
}

// "If usage is set to "cid_immediate", then one of the new CIDs MUST be used immediately".
TEST(Rfc9147_9_Immediate, IsUsedAtOnce) {
  for (const Role role : kRoles) {
    IdPair pair;
    const Role peer = IdPair::other(role);
    const auto before = pair.own(role).front();
    ASSERT_TRUE(pair.renew(role));
    ASSERT_EQ(pair.own(role).size(), 2U);
    EXPECT_EQ(pair.sent_by(peer), pair.own(role).back());
    EXPECT_NE(pair.sent_by(peer), before);
    EXPECT_EQ(pair[role].connection().info()->own_connection_id, pair.own(role).back());
    EXPECT_TRUE(works(pair));
  }
}

TEST(Rfc9147_9_Immediate, EndsTheSparesBefore) {
  IdPair pair;
  ASSERT_TRUE(pair.request(Role::client, 4));
  ASSERT_TRUE(pair.renew(Role::server));
  EXPECT_EQ(pair.spares(Role::client), 0U);
  EXPECT_EQ(pair.sent_by(Role::client), pair.own(Role::server).back());
  EXPECT_TRUE(works(pair));
}

// The other IDs of the message are spares.
TEST(Rfc9147_9_Immediate, TheFirstOfSeveralIsUsed) {
  IdPair pair;
  pair.send_message(Role::server, HandshakeType::new_connection_id,
                    new_ids({counted(3), counted(5)}, ConnectionIdUsage::cid_immediate), 6);
  ASSERT_FALSE(pair.client.error);
  EXPECT_EQ(pair.client.connection().info()->peer_connection_id, ConnectionId(counted(3)));
  EXPECT_EQ(pair.spares(Role::client), 1U);
}

// Own IDs are bounded however often they are renewed, and a source hears which ones end.
class ListeningSource final : public dtls::ConnectionIdSource {
 public:
  [[nodiscard]] std::size_t size() const override { return kSize; }
  dtls::Result<void> make(dtls::MutableBytes out) override {
    std::ranges::fill(out, std::byte{0});
    out[0] = static_cast<std::byte>(++made);
    return {};
  }
  void retire(Bytes id) override { retired.push_back(std::to_integer<int>(id[0])); }

  int made = 0;
  std::vector<int> retired;
};

TEST(Rfc9147_9_Own, AreBoundedAndEndInTheirOrder) {
  ListeningSource source;
  IdPair pair;
  pair.client = make_client(make_config(asking_for(0)));
  pair.server = Peer(must(
      dtls::Connection::server(make_config(asking_for(kSize)), environment(), kPath, {}, &source)));
  pair.connect();
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(pair.renew(Role::server));
    EXPECT_LE(pair.own(Role::server).size(), 2 * dtls::kMaxSpareConnectionIds);
    ASSERT_TRUE(works(pair)) << i;
  }
  EXPECT_EQ(source.made, 31);
  ASSERT_EQ(source.retired.size(), 15U);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(source.retired[static_cast<std::size_t>(i)], i + 1);
}

// The peer goes through its spares and asks for more, as often as it likes.
TEST(Rfc9147_9_Own, FollowAPeerThatKeepsChanging) {
  IdPair pair;
  for (int round = 0; round < 10; ++round) {
    ASSERT_TRUE(pair.request(Role::client, 8));
    EXPECT_LE(pair.own(Role::server).size(), 2 * dtls::kMaxSpareConnectionIds);
    while (pair.client.connection().change_connection_id()) ASSERT_TRUE(works(pair));
  }
}

// "MUST abort the connection with an "unexpected_message" alert".
TEST(Rfc9147_9, TheMessagesAreUnexpectedWithoutIds) {
  struct Case {
    std::optional<std::size_t> clients;
    std::optional<std::size_t> servers;
    HandshakeType type{};
  };
  const Buffer request{std::byte{1}};
  const Buffer ids = new_ids({counted(4)}, ConnectionIdUsage::cid_spare);
  // The client's records carry an ID where the server asks for one.
  for (const auto& [clients, servers, type] : {Case{{}, {}, HandshakeType::request_connection_id},
                                               Case{{}, {}, HandshakeType::new_connection_id},
                                               Case{0, 0, HandshakeType::request_connection_id},
                                               Case{0, 0, HandshakeType::new_connection_id},
                                               Case{8, 0, HandshakeType::request_connection_id},
                                               Case{0, 8, HandshakeType::new_connection_id}}) {
    IdPair pair(clients, servers);
    const bool is_request = type == HandshakeType::request_connection_id;
    pair.send_message(Role::client, type, is_request ? request : ids, 4);
    EXPECT_TRUE(failed(pair.server, Errc::unexpected_message, Alert::unexpected_message));
  }
}

TEST(Rfc9147_9, MalformedMessagesAreFatal) {
  for (const auto& [type, body] : {std::pair{HandshakeType::request_connection_id, ""},
                                   {HandshakeType::request_connection_id, "0101"},
                                   {HandshakeType::new_connection_id, ""},
                                   {HandshakeType::new_connection_id, "0000"},
                                   {HandshakeType::new_connection_id, "0002 02aa 01"},
                                   {HandshakeType::new_connection_id, "0003 01aa05 01"},
                                   {HandshakeType::new_connection_id, "0002 01aa 01 00"}}) {
    IdPair pair;
    pair.send_message(Role::client, type, from_hex(body), 4);
    EXPECT_TRUE(failed(pair.server, Errc::decode_error, Alert::decode_error)) << body;
  }
}

TEST(Rfc9147_9, IllegalMessagesAreFatal) {
  for (const auto* const body : {"0000 00", "0002 01aa 02", "0001 00 01", "0003 01aa00 00"}) {
    IdPair pair;
    pair.send_message(Role::client, HandshakeType::new_connection_id, from_hex(body), 4);
    EXPECT_TRUE(failed(pair.server, Errc::illegal_parameter, Alert::illegal_parameter)) << body;
  }
}

TEST(Rfc9147_9, TheCallerLearnsWhatIsNotPossible) {
  IdPair without({}, {});
  dtls::ConfigOptions options12 = options_for(ProtocolVersion::dtls12);
  options12.connection_id_size = kSize;
  Pair dtls12 = connected_pair(options12);
  for (Peer* peer : {&without.client, &dtls12.client}) {
    for (const auto& outcome : {peer->connection().request_connection_ids(1, {}),
                                peer->connection().renew_connection_id({})}) {
      ASSERT_FALSE(outcome);
      EXPECT_EQ(outcome.error().code, Errc::invalid_argument);
      EXPECT_FALSE(outcome.error().is_fatal);
    }
    EXPECT_FALSE(peer->connection().change_connection_id());
    EXPECT_FALSE(peer->error);
  }
  IdPair with;
  for (const std::size_t count : {0U, 256U}) {
    EXPECT_FALSE(with.client.connection().request_connection_ids(count, {}));
  }
  Peer early = make_client(make_config(asking_for(kSize)));
  const auto outcome = early.connection().request_connection_ids(1, {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::not_connected);
  EXPECT_TRUE(works(with));
}

// RFC 8446 section 4.6.3: nothing follows a KeyUpdate before the keys have changed.
TEST(Rfc9147_9, TheMessagesWaitForAKeyUpdate) {
  IdPair pair;
  auto& client = pair.client.connection();
  pair.client.settle(client.update_keys(dtls::KeyUpdateRequest::update_not_requested, pair.now),
                     pair.now);
  pair.client.settle(client.request_connection_ids(2, pair.now), pair.now);
  const auto datagrams = pair.client.take_datagrams();
  EXPECT_EQ(datagrams.size(), 1U);
  pair.deliver(datagrams, Role::server);
  pair.settle_acks();
  pair.settle_acks();
  EXPECT_EQ(pair.spares(Role::client), 2U);
  EXPECT_TRUE(works(pair));
}

// A client does not wait for the server's ACK before it asks; the message does.
TEST(Rfc9147_9, TheMessagesWaitForTheLastFlight) {
  TimedPair pair(asking_for(kSize), asking_for(kSize));
  pair.connect_but_for_the_ack();
  auto& client = pair.client.connection();
  pair.client.settle(client.request_connection_ids(2, pair.now), pair.now);
  EXPECT_TRUE(pair.client.take_datagrams().empty());
  for (int i = 0; i < 4; ++i) {
    pair.deliver(pair.wait(Role::client, 1s), Role::server);
    pair.deliver(pair.wait(Role::server, 1s), Role::client);
  }
  EXPECT_EQ(client.spare_connection_ids(), 2U);
  EXPECT_TRUE(works(pair));
}

// Lost messages are sent again, and take effect once.
TEST(Rfc9147_9, LostMessagesAreRetransmitted) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    IdPair pair;
    VirtualNetwork network({.loss = 0.3, .duplicate = 0.1, .jitter = 80ms}, seed, pair.now);
    pair.client.settle(pair.client.connection().request_connection_ids(3, pair.now), pair.now);
    pair.server.settle(pair.server.connection().renew_connection_id(pair.now), pair.now);
    network.send_pending(pair.client, true);
    network.send_pending(pair.server, false);
    network.run_until(pair.client, pair.server, pair.now + 60s);
    ASSERT_FALSE(pair.client.error || pair.server.error);
    EXPECT_LE(pair.spares(Role::client), 3U);
    EXPECT_TRUE(works(pair));
    EXPECT_EQ(pair.own(Role::server).size(), 5U);
  }
}

}  // namespace
}  // namespace sluice::test
