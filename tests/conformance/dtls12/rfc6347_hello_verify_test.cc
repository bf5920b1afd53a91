// RFC 6347 section 4.2.1: HelloVerifyRequest, as a client meets it.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"
#include "message/client_hello.h"

namespace sluice::test {
namespace {

constexpr std::size_t kBodyAt = 12;
constexpr std::size_t kCookieAt = kBodyAt + 2 + 32 + 1;  // after version, random, empty session_id

std::vector<Buffer> hellos(const Duel& duel) {
  std::vector<Buffer> found;
  for (const Buffer& message : duel.peer.messages) {
    if (type_of(message) == HandshakeType::client_hello) found.push_back(message);
  }
  return found;
}

std::uint16_t message_seq(Bytes message) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(message[4]) << 8 |
                                    std::to_integer<unsigned>(message[5]));
}

// Replaces the body of HelloVerifyRequest by server_version and this cookie.
Script verifying(Bytes cookie, unsigned version = 0xfeff) {
  Script script;
  script.verify_requests = 1;
  script.alter = altering(
      HandshakeType::hello_verify_request, [cookie = copy_of(cookie), version](Buffer& body) {
        body = {static_cast<std::byte>(version >> 8), static_cast<std::byte>(version & 0xff),
                static_cast<std::byte>(cookie.size())};
        body.insert(body.end(), cookie.begin(), cookie.end());
      });
  return script;
}

// Version, random, session_id, suites, compression and all that follows stay the same.
TEST(Rfc6347_4_2_1, TheSecondHelloIsTheFirstWithTheCookie) {
  const Buffer cookie = from_hex("0102030405");
  Duel duel(Role::client, verifying(cookie));
  ASSERT_TRUE(works(duel));
  const auto sent = hellos(duel);
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0][kCookieAt], std::byte{0}) << "a first hello has no cookie";
  EXPECT_EQ(copy_of(Bytes(sent[1]).subspan(kCookieAt, 6)), joined({from_hex("05"), cookie}));
  EXPECT_EQ(copy_of(Bytes(sent[1]).subspan(kBodyAt, kCookieAt - kBodyAt)),
            copy_of(Bytes(sent[0]).subspan(kBodyAt, kCookieAt - kBodyAt)));
  EXPECT_EQ(copy_of(Bytes(sent[1]).subspan(kCookieAt + 6)),
            copy_of(Bytes(sent[0]).subspan(kCookieAt + 1)));
}

// CVE-2020-11501: a client whose random was all zeros.
TEST(Rfc6347_4_2_1, TheRandomOfEachConnectionIsAnother) {
  std::set<Buffer> randoms;
  for (int i = 0; i < 8; ++i) {
    Duel duel(Role::client);
    ASSERT_TRUE(works(duel));
    randoms.insert(copy_of(duel.peer.randoms().client));
    Duel server(Role::server);
    ASSERT_TRUE(works(server));
    randoms.insert(copy_of(server.peer.randoms().server));
  }
  EXPECT_EQ(randoms.size(), 16U);
  EXPECT_FALSE(randoms.contains(Buffer(32)));
}

// Section 4.2.2: message_seq 0, then 1; the transcript begins with the second (the Finished that
// works() has seen covers it).
TEST(Rfc6347_4_2_1, MessageSeqGoesOnAfterHelloVerifyRequest) {
  Script script;
  script.verify_requests = 1;
  Duel duel(Role::client, script);
  ASSERT_TRUE(works(duel));
  const auto sent = hellos(duel);
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(message_seq(sent[0]), 0);
  EXPECT_EQ(message_seq(sent[1]), 1);
  EXPECT_EQ(copy_of(duel.peer.transcript().first(sent[1].size())), sent[1]);
}

TEST(Rfc6347_4_2_1, CookiesOfAnyLengthAreReturned) {
  for (const std::size_t size : {0U, 1U, 32U, 255U}) {
    SCOPED_TRACE(size);
    Duel duel(Role::client, verifying(counted(size)));
    ASSERT_TRUE(works(duel));
    ASSERT_EQ(hellos(duel).size(), 2U);
    EXPECT_EQ(duel.peer.script.client_hello.cookie.size(), 0U);
    EXPECT_EQ(hellos(duel)[1].size(), hellos(duel)[0].size() + size);
  }
}

// Its version tells the format and is no part of negotiation.
TEST(Rfc6347_4_2_1, TheVersionOfHelloVerifyRequestIsNotJudged) {
  for (const unsigned version : {0xfeffU, 0xfefdU, 0xfefcU}) {
    SCOPED_TRACE(version);
    Duel duel(Role::client, verifying(from_hex("aa"), version));
    EXPECT_TRUE(works(duel));
  }
}

// "This may result in clients receiving multiple HelloVerifyRequest messages with different
// cookies", each to be answered; but a server that never has enough must not be followed for ever.
TEST(Rfc6347_4_2_1, SeveralHelloVerifyRequestsAreAnswered) {
  Script script;
  script.verify_requests = 2;
  Duel duel(Role::client, script);
  EXPECT_TRUE(works(duel));
  EXPECT_EQ(hellos(duel).size(), 3U);
}

TEST(Rfc6347_4_2_1, EndlessHelloVerifyRequestsAreGivenUp) {
  Script script;
  script.verify_requests = 1000;
  Duel duel(Role::client, script);
  duel.run();
  EXPECT_TRUE(failed(duel, Errc::unexpected_message, Alert::unexpected_message));
  EXPECT_LE(hellos(duel).size(), 10U);
}

TEST(Rfc6347_4_2_1, ARepeatedHelloVerifyRequestIsNoNewOne) {
  Script script;
  script.verify_requests = 1;
  Duel duel(Role::client, script);
  duel.collect();
  const auto requests = duel.peer.take_datagrams();
  ASSERT_EQ(requests.size(), 1U);
  for (int i = 0; i < 20; ++i) duel.deliver(requests.front());
  EXPECT_EQ(duel.collect(), 1U);
  EXPECT_TRUE(works(duel));
  EXPECT_EQ(hellos(duel).size(), 2U);
}

TEST(Rfc6347_4_2_1, HelloVerifyRequestAfterServerHelloIsFatal) {
  Script script;
  script.replies = false;
  Duel duel(Role::client, script);
  duel.collect();
  duel.deliver(duel.peer.message(HandshakeType::server_hello));
  duel.deliver(duel.peer.message(HandshakeType::hello_verify_request));
  EXPECT_TRUE(failed(duel, Errc::unexpected_message, Alert::unexpected_message));
}

TEST(Rfc6347_4_2_1, AMalformedHelloVerifyRequestIsFatal) {
  for (const char* body : {"", "fe", "feff", "feff 01", "feff 02 aa", "feff 01 aabb"}) {
    SCOPED_TRACE(body);
    Script script;
    script.verify_requests = 1;
    script.alter = altering(HandshakeType::hello_verify_request,
                            [&](Buffer& altered) { altered = from_hex(body); });
    Duel duel(Role::client, script);
    duel.run();
    EXPECT_TRUE(failed(duel, Errc::decode_error, Alert::decode_error));
  }
}

// A server that asked for no cookie has nothing to compare one with.
TEST(Rfc6347_4_2_1, AServerIgnoresACookieItDidNotGive) {
  Script script;
  script.client_hello.cookie = counted(255);
  Duel duel(Role::server, script);
  EXPECT_TRUE(works(duel));
}

}  // namespace
}  // namespace sluice::test
