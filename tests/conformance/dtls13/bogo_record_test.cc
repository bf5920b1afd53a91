// RFC 9147 section 4 and RFC 8446 section 5: sizes, keys and what may come under which.
#include "conformance/dtls13/vocabulary.h"
#include "record/header13.h"

namespace sluice::test {
namespace {

using dtls::record::kMaxCiphertext13;
using dtls::record::kMaxPlaintext;

// Contents, type and padding as an inner plaintext has them, but for its last byte, which sealing
// adds.
Buffer padded(std::size_t size, std::size_t padding) {
  Buffer inner = counted(size);
  inner.push_back(static_cast<std::byte>(ContentType::application_data));
  inner.resize(inner.size() + padding - 1);
  return inner;
}

TEST(Rfc8446_5_2, ARecordAboveTheLimitIsDiscarded) {
  TimedPair pair;
  pair.connect();
  for (const std::size_t length : {kMaxCiphertext13, kMaxCiphertext13 + 1}) {
    Buffer record = from_hex("2f 0000 0000");
    dtls::wire::store(dtls::MutableBytes(record).subspan(3, 2), length);
    record.resize(record.size() + length);
    pair.deliver({record}, Role::server);
  }
  EXPECT_FALSE(pair.server.error);
  const auto& statistics = pair.server.connection().statistics();
  EXPECT_EQ(statistics.count(Discard::authentication_failed), 1U);
  EXPECT_EQ(statistics.count(Discard::malformed_record), 1U);
}

TEST(Rfc8446_5_4, PaddingCountsTowardsTheLimit) {
  for (const bool above : {false, true}) {
    TimedPair pair;
    pair.connect();
    const Buffer contents = padded(16000, kMaxPlaintext - 16000 + (above ? 1 : 0));
    pair.inject(Role::client, kFirstApplicationEpoch13, ContentType{0}, contents);
    if (above) {
      EXPECT_TRUE(failed(pair.server, Errc::decode_error, Alert::record_overflow));
    } else {
      ASSERT_EQ(pair.server.data.size(), 1U);
      EXPECT_EQ(pair.server.data.front().size(), 16000U);
    }
  }
}

TEST(Rfc8446_5, ApplicationDataUnderHandshakeKeysIsFatal) {
  for (const std::size_t size : {0U, 5U}) {
    TimedPair pair;
    pair.carry(Role::client);
    pair.carry(Role::server);  // the client's flight is still to be sent
    ASSERT_FALSE(pair.client.peer_chain.empty());
    pair.inject(Role::server, kHandshakeEpoch13, ContentType::application_data, counted(size));
    EXPECT_TRUE(failed(pair.client, Errc::unexpected_message, Alert::unexpected_message));
    EXPECT_TRUE(pair.client.data.empty());

    TimedPair after;
    after.connect_but_for_the_ack();
    after.inject(Role::client, kHandshakeEpoch13, ContentType::application_data, counted(size));
    EXPECT_TRUE(failed(after.server, Errc::unexpected_message, Alert::unexpected_message));
    EXPECT_TRUE(after.server.data.empty());
  }
}

// RFC 8446 section 5.1: a message must not stand beside a change of keys, whichever comes first.
TEST(Rfc8446_5_1, AMessageBehindFinishedIsFatalEvenWhenItOvertakesFinished) {
  for (const Role sender : kRoles) {
    SCOPED_TRACE(to_string(sender));
    const Role receiver = TimedPair::other(sender);
    TimedPair pair(small_options13());
    pair.carry(Role::client);
    if (sender == Role::client) pair.carry(Role::server);
    auto flight = pair[sender].take_datagrams();
    const auto last = flight.back();
    flight.pop_back();
    pair.deliver(std::move(flight), receiver);
    const unsigned seq = sender == Role::client ? 4 : 6;
    // A part of it is enough.
    pair.inject(sender, kHandshakeEpoch13, ContentType::handshake,
                fragment_of(HandshakeType::finished, seq, 32, 0, counted(1)));
    pair.deliver({last}, receiver);
    EXPECT_TRUE(failed(pair[receiver], Errc::unexpected_message, Alert::unexpected_message));
    // The peer can read why: a client has not come to its application keys.
    pair.carry(receiver);
    EXPECT_TRUE(failed(pair[sender], Errc::alert_received, Alert::unexpected_message));
  }
}

// Section 8: the keys before a KeyUpdate go once the new ones have been used for long enough.
TEST(Rfc9147_8, OldKeysStayUntilTheNewAreUsedAndThenGo) {
  TimedPair pair;
  pair.connect();
  const auto in_old_keys = [&] {
    return sealed(pair.server, kFirstApplicationEpoch13, ContentType::application_data, counted(1));
  };
  std::vector<Buffer> old;
  for (int i = 0; i < 3; ++i) old.push_back(in_old_keys());
  // The client asks, so that the server answers by a KeyUpdate of its own.
  pair.inject(Role::client, kFirstApplicationEpoch13, ContentType::handshake,
              fragment_of(HandshakeType::key_update, 4, 1, 0, from_hex("01")));
  pair.carry(Role::server);
  pair.wait(Role::server, 0s);
  pair.deliver({old[0]}, Role::client);
  EXPECT_EQ(pair.client.data.size(), 1U);
  const auto ack = pair.wait(Role::client, 10min);
  ASSERT_EQ(ack.size(), 1U);
  pair.deliver({old[1]}, Role::client);
  EXPECT_EQ(pair.client.data.size(), 2U) << "the server may not have the ACK";

  pair.deliver(ack, Role::server);
  pair.deliver({pair.server.seal(counted(1))}, Role::client);
  EXPECT_EQ(pair.client.data.size(), 3U);
  pair.wait(Role::client, 10min);
  pair.deliver({old[2]}, Role::client);
  EXPECT_EQ(pair.client.data.size(), 3U);
  EXPECT_FALSE(pair.client.error);
}

// A server without the client's Finished couldn't read it.
TEST(Rfc9147_8, AKeyUpdateWaitsForTheAckOfTheLastFlight) {
  TimedPair pair;
  pair.carry(Role::client);
  pair.carry(Role::server);
  auto flight = pair.client.take_datagrams();
  auto& client = pair.client.connection();
  pair.client.settle(client.update_keys(dtls::KeyUpdateRequest::update_not_requested, pair.now),
                     pair.now);
  EXPECT_TRUE(pair.client.take_datagrams().empty());
  pair.deliver(std::move(flight), Role::server);
  pair.carry(Role::server);
  EXPECT_EQ(pair.client.take_datagrams().size(), 1U);
}

// Section 5.1: DTLS 1.3 has no HelloVerifyRequest.
TEST(Rfc9147_5_1, AClientOfDtls13AloneRefusesHelloVerifyRequest) {
  TimedPair pair;
  pair.client.take_datagrams();
  const Buffer request = from_hex("feff 00");  // without a cookie
  pair.inject(Role::server, kPlaintextEpoch, ContentType::handshake,
              fragment_of(HandshakeType::hello_verify_request, 0, 3, 0, request));
  EXPECT_TRUE(failed(pair.client, Errc::no_common_version, Alert::protocol_version));
}

TEST(Rfc9147_5_1, NoServerChoosesDtls13AfterHelloVerifyRequest) {
  auto both = options13();
  both.min_version = ProtocolVersion::dtls12;
  TimedPair pair(both, options13());
  pair.client.take_datagrams();
  pair.inject(Role::server, kPlaintextEpoch, ContentType::handshake,
              fragment_of(HandshakeType::hello_verify_request, 0, 3, 0, from_hex("feff 00")));
  // The server never sent that request, so message_seq is one less to it.
  constexpr std::size_t kSeqAt = dtls::record::kHeaderSize12 + 5;
  auto hello = pair.client.take_datagrams();
  ASSERT_EQ(hello.size(), 1U);
  hello[0][kSeqAt] = std::byte{0};
  pair.deliver(std::move(hello), Role::server);
  auto answer = pair.server.take_datagrams();
  ASSERT_FALSE(answer.empty());
  answer[0][kSeqAt] = std::byte{1};
  pair.deliver({answer[0]}, Role::client);
  EXPECT_TRUE(failed(pair.client, Errc::illegal_parameter, Alert::illegal_parameter));
}

}  // namespace
}  // namespace sluice::test
