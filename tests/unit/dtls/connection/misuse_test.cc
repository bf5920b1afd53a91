// Calls at the wrong time, with the wrong arguments or too small a buffer.
#include "support/connections.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::connected_pair;
using test::counted;
using test::Pair;
using test::Peer;
using test::to_hex;
using test::unaccepted_pair;

class Misuse : public test::ByVersion {};
INSTANTIATE_TEST_SUITE_P(Versions, Misuse, test::both_versions(), test::name_of_version);

constexpr std::string_view kLabel = "EXTRACTOR-dtls_srtp";

// `refused` of both sides of a connection, from its beginning to its end.
template <class Refused>
void expect_only_while_connected(const ConfigOptions& options, Refused&& refused) {
  const bool is13 = options.max_version == ProtocolVersion::dtls13;
  Pair pair(options);
  EXPECT_TRUE(refused(pair.client) && refused(pair.server)) << "fresh";
  pair.flight(pair.client);
  EXPECT_TRUE(refused(pair.client) && refused(pair.server)) << "in the midst";
  pair.flight(pair.server);
  EXPECT_TRUE(refused(is13 ? pair.server : pair.client))
      << "its keys are there, the peer's Finished isn't";

  // NOLINTNEXTLINE(misc-const-correctness): not every `refused` takes a const Peer.
  Pair waiting = unaccepted_pair(options);
  EXPECT_TRUE(refused(waiting.client) && refused(waiting.server)) << "not accepted";

  Pair ended = connected_pair(options);
  EXPECT_FALSE(refused(ended.client) || refused(ended.server));
  ended.client.settle(ended.client.connection().close({}), {});
  EXPECT_TRUE(refused(ended.client)) << "closed";
  ended.run();
  EXPECT_TRUE(refused(ended.server)) << "closed by the peer";
}

Errc code_of(const Result<Pending>& outcome) {
  EXPECT_FALSE(outcome);
  return outcome ? Errc::closed : outcome.error().code;
}

TEST_P(Misuse, AnAnswerToNoQuestionIsNotFatal) {
  Pair pair(options());
  const auto answer = [](Peer& peer, std::uint32_t id) {
    return code_of(peer.connection().answer(QuestionId{id}, AcceptPeer{}, {}));
  };
  EXPECT_EQ(answer(pair.client, 1), Errc::invalid_argument);
  EXPECT_EQ(answer(pair.server, 0), Errc::invalid_argument);
  pair.client.accepts_peer = false;
  pair.run();
  ASSERT_TRUE(pair.client.question);
  const auto id = static_cast<std::uint32_t>(pair.client.question->id());
  EXPECT_EQ(answer(pair.client, id + 1), Errc::invalid_argument);
  EXPECT_FALSE(pair.client.connection().connected());
  // A rejection that answers nothing ends nothing either.
  EXPECT_EQ(code_of(pair.client.connection().answer(QuestionId{id + 1}, RejectPeer{}, {})),
            Errc::invalid_argument);
  pair.client.settle(pair.client.connection().answer(*pair.client.question, AcceptPeer{}, {}), {});
  EXPECT_TRUE(pair.client.connected);
  EXPECT_EQ(answer(pair.client, id), Errc::invalid_argument) << "answered already";
  EXPECT_TRUE(pair.client.connection().connected());
}

TEST_P(Misuse, NothingIsSealedBeforeConnectedOrAfterTheEnd) {
  Buffer out(100);
  const auto refused = [&](Peer& peer) {
    const auto sealed = peer.connection().seal(bytes_of("data"), out);
    return !sealed && sealed.error() == SendError::not_connected;
  };
  expect_only_while_connected(options(), refused);
}

TEST_P(Misuse, SealingNeedsRoomAndHasALimit) {
  const auto suites =
      is13() ? std::array{CipherSuite::aes_128_gcm_sha256, CipherSuite::chacha20_poly1305_sha256}
             : std::array{CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256,
                          CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256};
  for (const CipherSuite suite : suites) {
    ConfigOptions options = ByVersion::options();
    options.cipher_suites = {suite};
    Pair pair = connected_pair(options);
    Connection& client = pair.client.connection();
    Buffer out(kMaxApplicationData + kSealOverhead);

    const Buffer largest = counted(kMaxApplicationData);
    const auto size = client.seal(largest, out);
    ASSERT_TRUE(size);
    EXPECT_LE(*size, largest.size() + kSealOverhead);
    const std::size_t overhead = *size - largest.size();
    pair.server.receive(test::copy_of(Bytes(out).first(*size)), {});
    ASSERT_EQ(pair.server.data.size(), 1U);
    EXPECT_TRUE(pair.server.data[0] == largest);

    const auto too_large = client.seal(counted(kMaxApplicationData + 1), out);
    ASSERT_FALSE(too_large);
    EXPECT_EQ(too_large.error(), SendError::too_large);

    const auto too_small = client.seal(counted(10), MutableBytes(out).first(10 + overhead - 1));
    ASSERT_FALSE(too_small);
    EXPECT_EQ(too_small.error(), SendError::buffer_too_small);
    EXPECT_EQ(client.seal(counted(10), MutableBytes(out).first(10 + overhead)), 10 + overhead);
    EXPECT_EQ(client.seal({}, MutableBytes(out).first(overhead)), overhead);
  }
}

// An answer of another kind than the question asks for does not compile.
template <class Asked, class Given>
concept Takes = requires(Connection& connection, const Asked& asked, const Given& given) {
  connection.answer(asked.question, given, Instant{});
};
static_assert(Takes<PeerCertificateReceived, AcceptPeer> && Takes<ConnectionToVerify, RejectPeer>);
static_assert(!Takes<PeerCertificateReceived, UsePsk> && !Takes<ConnectionToVerify, NoIdentity>);
static_assert(Takes<PskRequested, UsePsk> && Takes<PskRequested, ResumeSession>);
static_assert(!Takes<PskRequested, NoSession> && !Takes<PskRequested, AcceptPeer>);
static_assert(Takes<SessionRequested, NoSession> && !Takes<SessionRequested, UsePsk>);
static_assert(Takes<IdentityRequested, NoIdentity> && !Takes<IdentityRequested, Signature>);
static_assert(Takes<SignatureRequested, Signature> && !Takes<SignatureRequested, UseIdentity>);

TEST_P(Misuse, NothingIsExportedBeforeConnectedOrAfterTheEnd) {
  const auto refused = [](const Peer& peer) {
    const Connection& connection = peer.connection();
    Buffer out(32, std::byte{0x11});
    const auto exported = connection.export_keying_material(out, kLabel, std::nullopt);
    const auto keys = connection.srtp_keys();
    EXPECT_EQ(exported.has_value(), keys.has_value());
    EXPECT_EQ(exported.has_value(), connection.info().has_value() && !connection.ended());
    EXPECT_EQ(exported.has_value(), connection.connected());
    if (exported) return false;
    EXPECT_EQ(out, Buffer(32, std::byte{0x11})) << "nothing written";
    return exported.error().code == Errc::not_connected && keys.error().code == Errc::not_connected;
  };
  expect_only_while_connected(options(), refused);
}

TEST_P(Misuse, ExportersRefuseWhatRfc5705Does) {
  const Pair pair = connected_pair(options());
  Buffer out(32);
  const Buffer too_long(65536);
  for (const auto* const label : {"master secret", "key expansion", "client finished"}) {
    const auto exported = pair.client.connection().export_keying_material(out, label, std::nullopt);
    ASSERT_FALSE(exported) << label;
    EXPECT_EQ(exported.error().code, Errc::invalid_argument);
  }
  EXPECT_FALSE(pair.client.connection().export_keying_material(out, "label", Bytes(too_long)));
  EXPECT_TRUE(pair.client.connection().export_keying_material(out, "label", std::nullopt))
      << "and go on";
  EXPECT_TRUE(pair.client.connection().export_keying_material({}, "label", std::nullopt));
}

// The lengths that a field of RFC 8446 section 7.1 can't say, and what RFC 5869 can't expand.
TEST_P(Misuse, ExportersRefuseWhatTheirFormatCantSay) {
  const Pair pair = connected_pair(options());
  const Connection& client = pair.client.connection();
  Buffer out(32);
  Buffer large(255 * 48);
  const std::string longest(249, 'x');
  EXPECT_TRUE(client.export_keying_material(out, longest, std::nullopt));
  EXPECT_TRUE(
      client.export_keying_material(MutableBytes(large).first(255 * 32), "label", std::nullopt));
  if (!is13()) return;
  for (const std::size_t beyond : {1U, 7U, 1000U}) {
    const auto refused =
        client.export_keying_material(out, longest + std::string(beyond, 'x'), std::nullopt);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  }
  large.resize(255 * 48 + 1);
  const auto refused = client.export_keying_material(large, "label", std::nullopt);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
}

TEST_P(Misuse, WithoutUseSrtpThereAreNoSrtpKeys) {
  ConfigOptions options = ByVersion::options();
  options.srtp_profiles.clear();
  const Pair pair = connected_pair(options);
  const auto keys = pair.client.connection().srtp_keys();
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().code, Errc::srtp_not_negotiated);
  EXPECT_FALSE(pair.client.connected->srtp_profile);
}

TEST_P(Misuse, TooSmallABufferLosesNoDatagram) {
  Pair pair(options());
  Connection& client = pair.client.connection();
  std::array<std::byte, 23> small{};  // DTLS 1.3 seals an alert into 24
  EXPECT_FALSE(client.poll_transmit(small));
  EXPECT_FALSE(client.poll_transmit({}));
  pair.run();
  EXPECT_TRUE(pair.client.connected && pair.server.connected);

  pair.client.settle(client.close({}), {});
  EXPECT_FALSE(client.poll_transmit(small)) << "the alert";
  pair.run();
  EXPECT_TRUE(pair.server.closed);
}

TEST_P(Misuse, AnEarlyTimeoutDoesNothing) {
  Pair pair(options());
  EXPECT_FALSE(pair.server.connection().next_timeout());
  const auto on_server = pair.server.connection().handle_timeout(Instant{});
  ASSERT_TRUE(on_server);
  EXPECT_FALSE(on_server->transmit || on_server->data || on_server->event);

  EXPECT_GT(pair.client.take_datagrams().size(), 0U);
  const auto due = pair.client.connection().next_timeout();
  ASSERT_TRUE(due);
  const auto early = pair.client.connection().handle_timeout(*due - Duration{1});
  ASSERT_TRUE(early);
  EXPECT_FALSE(early->transmit);
  EXPECT_EQ(pair.client.connection().next_timeout(), due);
  EXPECT_EQ(pair.client.connection().statistics().timeouts, 0U);
  const auto on_time = pair.client.connection().handle_timeout(*due);
  ASSERT_TRUE(on_time);
  EXPECT_TRUE(on_time->transmit);
}

TEST_P(Misuse, AnMtuOutOfRangeIsTheNearestInIt) {
  for (const std::size_t mtu : {std::size_t{0}, std::size_t{1}, std::size_t{255}}) {
    Pair pair(options());
    pair.flight(pair.client);
    pair.server.connection().set_path_mtu(mtu);
    std::size_t largest = 0;
    for (const auto& datagram : pair.server.take_datagrams()) {
      largest = std::max(largest, datagram.size());
    }
    EXPECT_LE(largest, 256U);
    EXPECT_GT(largest, 200U);
  }
  Pair pair(options());
  pair.client.connection().set_path_mtu(std::size_t{1} << 40);
  pair.server.connection().set_path_mtu(std::size_t{1} << 40);
  pair.run();
  EXPECT_TRUE(pair.client.connected && pair.server.connected);
}

TEST_P(Misuse, ARoundTripTimeOutOfThisWorldIsTheNearestInIt) {
  for (const Duration rtt : {Duration::max(), Duration::min(), Duration{-1}, Duration::zero()}) {
    Pair pair(options());
    pair.server.connection().set_path_rtt(rtt);
    pair.flight(pair.client);
    const auto due = pair.server.connection().next_timeout();
    ASSERT_TRUE(due);
    EXPECT_GE(*due - Instant{}, RetransmissionTimers::kMinimumInitial);
    EXPECT_LE(*due - Instant{}, RetransmissionTimers::kMaximumInitial);
  }
}

TEST_P(Misuse, DatagramsGoToThePathThatIsSet) {
  Pair pair(options());
  std::array<std::byte, kMaxDatagram> out{};
  const auto first = pair.client.connection().poll_transmit(out);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->path, test::kPath);
  pair.client.connection().set_path(PathId{77});
  EXPECT_EQ(pair.client.connection().path(), PathId{77});
  pair.client.settle(pair.client.connection().handle_timeout(Instant{std::chrono::seconds{1}}), {});
  const auto again = pair.client.connection().poll_transmit(out);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->path, PathId{77});
}

TEST_P(Misuse, PollingWhatIsNotThereIsHarmless) {
  Pair pair = connected_pair(options());
  std::array<std::byte, kMaxDatagram> out{};
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(pair.client.connection().poll_data());
    EXPECT_FALSE(pair.client.connection().poll_event());
    EXPECT_FALSE(pair.client.connection().poll_transmit(out));
  }
  const Buffer datagram = pair.server.seal(bytes_of("data"));
  pair.client.receive(datagram, {});
  EXPECT_EQ(pair.client.data.size(), 1U);
}

TEST_P(Misuse, AMovedConnectionGoesOn) {
  Pair pair(options());
  pair.flight(pair.client);
  Connection moved = std::move(pair.server.connection());
  pair.server.connection() = std::move(moved);
  pair.run();
  EXPECT_TRUE(pair.client.connected && pair.server.connected);
}

}  // namespace
}  // namespace sluice::dtls
