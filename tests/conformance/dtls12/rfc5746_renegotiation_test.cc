// RFC 5746: what the first handshake says about renegotiation; RFC 8827 section 6.5: there is none.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"
#include "message/server_hello.h"

namespace sluice::test {
namespace {

constexpr CipherSuite kScsv{0x00ff};

// The data of renegotiation_info in the engine's ServerHello.
std::optional<Buffer> answer_of(const Duel& duel) {
  const auto hello =
      dtls::message::ServerHello::decode(Bytes(duel.peer.messages.at(0)).subspan(12)).value();
  const auto data = hello.extensions.find(ExtensionType::renegotiation_info);
  return data ? std::optional(copy_of(*data)) : std::nullopt;
}

TEST(Rfc5746_3_6, AnEmptyExtensionIsAnsweredByAnEmptyOne) {
  Duel duel(Role::server);
  ASSERT_TRUE(works(duel));
  EXPECT_EQ(answer_of(duel), from_hex("00"));
}

TEST(Rfc5746_3_6, TheSignallingSuiteIsAnsweredAsWell) {
  Script script;
  script.client_hello.extensions.remove(ExtensionType::renegotiation_info);
  script.client_hello.suites.push_back(kScsv);
  Duel duel(Role::server, script);
  ASSERT_TRUE(works(duel));
  EXPECT_EQ(answer_of(duel), from_hex("00"));
}

TEST(Rfc5746_3_6, WithoutEitherThereIsNoAnswer) {
  Script script;
  script.client_hello.extensions.remove(ExtensionType::renegotiation_info);
  Duel duel(Role::server, script);
  ASSERT_TRUE(works(duel));
  EXPECT_FALSE(answer_of(duel));
}

// "MUST then verify that the length of the renegotiated_connection field is zero, and if it is not,
// MUST abort the handshake"; section 3.4 says the same of a client, and which alert.
TEST(Rfc5746_3_4, AFirstHandshakeWithARenegotiatedConnectionIsRefused) {
  for (const Role role : kRoles) {
    for (const char* data : {"", "01 00", "0c 000102030405060708090a0b", "00 00", "01"}) {
      SCOPED_TRACE(data);
      Script script;
      script.client_hello.extensions.set(ExtensionType::renegotiation_info, from_hex(data));
      script.server_hello.extensions.set(ExtensionType::renegotiation_info, from_hex(data));
      Duel duel(role, script);
      duel.run();
      EXPECT_TRUE(failed(duel, Errc::illegal_parameter, Alert::handshake_failure));
    }
  }
}

TEST(Rfc5746_4_1, AServerWithoutTheExtensionIsAccepted) {
  Script script;
  script.server_hello.extensions.remove(ExtensionType::renegotiation_info);
  Duel duel(Role::client, script);
  EXPECT_TRUE(works(duel));
}

// ---- renegotiation itself

HandshakeType request_to(Role role) {
  return role == Role::client ? HandshakeType::hello_request : HandshakeType::client_hello;
}
Buffer request_body(Role role) {
  return role == Role::client ? Buffer{} : ClientHelloFields().encode();
}

// RFC 6347 section 4.2.2 starts a rehandshake's numbers at 0; others count on.
TEST(Rfc8827_6_5, RenegotiationIsRefusedAndTheConnectionLivesOn) {
  for (const Role role : kRoles) {
    for (const bool counts_on : {false, true}) {
      SCOPED_TRACE(testing::Message() << to_string(role) << counts_on);
      Duel duel(role);
      ASSERT_TRUE(works(duel));
      for (std::size_t attempt = 1; attempt <= 3; ++attempt) {
        const auto seq = static_cast<std::uint16_t>(attempt - 1);
        duel.deliver(ScriptedPeer::loose_message(
            request_to(role), request_body(role),
            counts_on ? static_cast<std::uint16_t>(duel.peer.next_seq() + seq) : seq,
            kFirstEncryptedEpoch12));
        EXPECT_EQ(duel.collect(), 1U);
        ASSERT_EQ(duel.peer.alerts.size(), attempt);
        EXPECT_EQ(duel.peer.alerts.back().level, AlertLevel::warning);
        EXPECT_EQ(duel.peer.alerts.back().description, Alert::no_renegotiation);
        EXPECT_EQ(duel.peer.records.back().epoch, kFirstEncryptedEpoch12);
        EXPECT_TRUE(works(duel));
      }
    }
  }
}

// One answer a request, however it is cut.
TEST(Rfc8827_6_5, AFragmentedRequestIsRefusedOnce) {
  Duel duel(Role::server);
  ASSERT_TRUE(works(duel));
  const auto hello = ScriptedPeer::loose_message(
      HandshakeType::client_hello, request_body(Role::server), 0, kFirstEncryptedEpoch12);
  const std::size_t body = hello.contents.size() - 12;
  for (std::size_t at = 0; at < body; at += 40) {
    OutgoingRecord piece = hello;
    piece.contents = fragment_of(hello.contents, at, std::min<std::size_t>(40, body - at));
    duel.deliver(piece);
  }
  EXPECT_EQ(duel.collect(), 1U);
  ASSERT_EQ(duel.peer.alerts.size(), 1U);
  EXPECT_EQ(duel.peer.alerts.front().description, Alert::no_renegotiation);
  EXPECT_TRUE(works(duel));
}

// Anybody can send these.
TEST(Rfc8827_6_5, ARequestInPlaintextIsDropped) {
  for (const Role role : kRoles) {
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    duel.deliver(ScriptedPeer::loose_message(request_to(role), request_body(role), 0));
    EXPECT_EQ(duel.collect(), 0U);
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc5246_7_4, AnyOtherMessageAfterFinishedIsUnexpected) {
  for (const Role role : kRoles) {
    for (const unsigned type : {0U, 1U, 2U, 3U, 4U, 11U, 12U, 13U, 14U, 15U, 16U, 20U, 24U, 255U}) {
      if (static_cast<HandshakeType>(type) == request_to(role)) continue;
      SCOPED_TRACE(testing::Message() << to_string(role) << type);
      Duel duel(role);
      ASSERT_TRUE(works(duel));
      duel.deliver(ScriptedPeer::loose_message(static_cast<HandshakeType>(type), {},
                                               duel.peer.next_seq(), kFirstEncryptedEpoch12));
      ASSERT_TRUE(duel.engine.error);
      EXPECT_EQ(duel.engine.error->code, Errc::unexpected_message);
      EXPECT_FALSE(duel.engine.connection().connected());
      duel.collect();
      ASSERT_EQ(duel.peer.alerts.size(), 1U);
      EXPECT_EQ(duel.peer.alerts.front().level, AlertLevel::fatal);
      EXPECT_EQ(duel.peer.alerts.front().description, Alert::unexpected_message);
    }
  }
}

}  // namespace
}  // namespace sluice::test
