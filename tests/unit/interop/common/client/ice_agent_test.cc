#include "common/client/ice_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "support/endpoints.h"
#include "support/ice_checks.h"

namespace sluice::interop {
namespace {

using namespace std::chrono_literals;
using test::must;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const ice_lite::Credentials kLocal{.ufrag = "client", .pwd = "the-password-of-the-client"};
const ice_lite::Credentials kRemote{.ufrag = "server", .pwd = "the-password-of-the-server"};
constexpr dtls::UdpEndpoint kFirst{dtls::Ipv4Address{198, 51, 100, 1}, 443};
constexpr dtls::UdpEndpoint kSecond{dtls::Ipv4Address{198, 51, 100, 2}, 443};
constexpr dtls::PathId kFirstPath{0};
constexpr dtls::PathId kSecondPath{1};

class IceAgentTest : public testing::Test {
 protected:
  using What = IceEvent::What;

  void run_for(dtls::Duration duration) {
    const auto until = now_ + duration;
    for (auto next = agent_.next_timeout(); next && *next <= until; next = agent_.next_timeout()) {
      now_ = std::max(now_, *next);
      agent_.handle_timeout(now_);
      collect();
    }
    now_ = until;
  }
  void collect() {
    for (auto& outgoing : agent_.take()) sent_.push_back(std::move(outgoing));
    while (const auto event = agent_.poll_event()) {
      events_.push_back(event->what);
      last_ = *event;
    }
  }
  void arrive(const dtls::Buffer& bytes, const dtls::UdpEndpoint& from) {
    agent_.handle_datagram(bytes, from, now_);
    collect();
  }
  // What the server answers to the last datagram that was sent.
  void answer_last(stun::MessageClass message_class = stun::MessageClass::success_response,
                   const ice_lite::Credentials& server = kRemote) {
    const Outgoing last = sent_.back();
    const auto request = stun::decode(last.bytes).value();
    dtls::Buffer bytes(200);
    stun::Writer writer(bytes, message_class, stun::Method::binding, request.transaction);
    if (message_class == stun::MessageClass::error_response) writer.error_code(400, "no");
    writer.xor_mapped_address(kFirst);
    const auto key = must(stun::IntegrityKey::make(test::environment(), server.pwd));
    bytes.resize(must(writer.finish(test::environment(), key)));
    arrive(bytes, last.peer);
  }
  // A check of a server that is a full agent.
  static dtls::Buffer check(test::CheckFields::Role role = test::CheckFields::Role::controlled) {
    return test::make_check({.username = "client:server", .pwd = kLocal.pwd, .role = role});
  }
  [[nodiscard]] bool last_nominates() const {
    return stun::decode(sent_.back().bytes).value().use_candidate;
  }
  void connect() {
    run_for(0ms);
    answer_last();
    answer_last();
    sent_.clear();
    events_.clear();
  }

  dtls::Instant now_{1h};
  IceAgent agent_ =
      must(IceAgent::make({.local = kLocal, .remote = kRemote, .candidates = {kFirst, kSecond}},
                          test::environment(), now_));
  std::vector<Outgoing> sent_;
  std::vector<What> events_;
  IceEvent last_{};
};

TEST_F(IceAgentTest, SendsAuthenticChecks) {
  run_for(0ms);
  ASSERT_THAT(sent_, SizeIs(1));
  EXPECT_EQ(sent_[0].peer, kFirst);
  const auto check = stun::decode(sent_[0].bytes).value();
  const std::string username = "server:client";
  EXPECT_TRUE(std::ranges::equal(*check.username, std::as_bytes(std::span(username))));
  EXPECT_TRUE(check.priority);
  EXPECT_TRUE(check.ice_controlling);
  EXPECT_FALSE(check.use_candidate);
  EXPECT_TRUE(check.has_fingerprint);
  const auto key = must(stun::IntegrityKey::make(test::environment(), kRemote.pwd));
  EXPECT_TRUE(stun::verify_integrity(check, test::environment(), key));
}

// RFC 8445 section 8.1.1: a pair that works is nominated by another check.
TEST_F(IceAgentTest, NominatesTheFirstPairThatWorks) {
  run_for(0ms);
  answer_last();
  EXPECT_THAT(events_, ElementsAre(What::validated));
  ASSERT_THAT(sent_, SizeIs(2));
  EXPECT_EQ(sent_[1].peer, kFirst);
  EXPECT_TRUE(last_nominates());
  now_ += 30ms;
  answer_last();
  EXPECT_THAT(events_, ElementsAre(What::validated, What::validated, What::selected));
  EXPECT_EQ(last_.path, kFirstPath);
  EXPECT_EQ(last_.round_trip, 30ms);
  EXPECT_EQ(agent_.path_of(kFirst), kFirstPath);
  EXPECT_EQ(agent_.peer(kFirstPath), kFirst);
  EXPECT_EQ(agent_.path_of({dtls::Ipv4Address{}, 1}), std::nullopt);
}

TEST_F(IceAgentTest, TakesTheSecondWhereTheFirstDoesNotAnswer) {
  run_for(50ms);
  ASSERT_THAT(sent_, SizeIs(2));
  EXPECT_EQ(sent_[1].peer, kSecond);
  answer_last();
  EXPECT_EQ(sent_.back().peer, kSecond);
  EXPECT_TRUE(last_nominates());
  answer_last();
  EXPECT_EQ(last_.what, What::selected);
  EXPECT_EQ(last_.path, kSecondPath);
}

// RFC 8489 section 6.2.1: after 0.5, 1, 2 seconds and so on.
TEST_F(IceAgentTest, RepeatsAndGivesUp) {
  run_for(31s);
  ASSERT_FALSE(sent_.empty());
  EXPECT_THAT(events_, IsEmpty());
  run_for(60s);
  EXPECT_THAT(sent_, SizeIs(14));
  EXPECT_THAT(events_, ElementsAre(What::failed));
  EXPECT_FALSE(agent_.next_timeout());
}

TEST_F(IceAgentTest, ARefusalFailsThePair) {
  run_for(0ms);
  answer_last(stun::MessageClass::error_response);
  run_for(50ms);
  answer_last(stun::MessageClass::error_response);
  EXPECT_THAT(events_, ElementsAre(What::failed));
}

TEST_F(IceAgentTest, WhatIsNotAuthenticIsIgnored) {
  run_for(0ms);
  answer_last(stun::MessageClass::success_response, kLocal);
  answer_last(stun::MessageClass::error_response, kLocal);
  EXPECT_THAT(events_, IsEmpty());
  EXPECT_THAT(sent_, SizeIs(1));
  arrive(test::make_check({.username = "client:server", .pwd = kRemote.pwd}), kFirst);
  arrive(test::make_check({.username = "client:other", .pwd = kLocal.pwd}), kFirst);
  arrive({std::byte{0}, std::byte{1}}, kFirst);
  EXPECT_THAT(sent_, SizeIs(1));
  // Another transaction than the last one of the pair.
  const auto before = sent_.back();
  answer_last();
  sent_.push_back(before);
  events_.clear();
  answer_last();
  EXPECT_THAT(events_, IsEmpty());
}

// ---- a server that is a full agent

TEST_F(IceAgentTest, AnswersChecksOfTheServer) {
  run_for(0ms);
  arrive(check(), kFirst);
  EXPECT_THAT(events_, ElementsAre(What::validated));
  const auto response = stun::decode(sent_.back().bytes).value();
  EXPECT_EQ(response.message_class, stun::MessageClass::success_response);
  EXPECT_EQ(response.xor_mapped_address, kFirst);
  const auto key = must(stun::IntegrityKey::make(test::environment(), kLocal.pwd));
  EXPECT_TRUE(stun::verify_integrity(response, test::environment(), key));
}

// RFC 8445 section 7.3.1.3.
TEST_F(IceAgentTest, FindsACandidateByItsCheck) {
  const dtls::UdpEndpoint other{dtls::Ipv4Address{203, 0, 113, 1}, 5000};
  arrive(check(), other);
  EXPECT_EQ(last_.path, dtls::PathId{2});
  run_for(0ms);
  EXPECT_EQ(sent_.back().peer, other);
  answer_last();
  answer_last();
  EXPECT_EQ(last_.what, What::selected);
  EXPECT_EQ(last_.path, dtls::PathId{2});
}

TEST_F(IceAgentTest, KnowsSoManyPairs) {
  for (std::uint16_t port = 1; port < 100; ++port) {
    arrive(check(), {dtls::Ipv4Address{203, 0, 113, 1}, port});
  }
  EXPECT_THAT(events_, SizeIs(IceAgent::kMaxPairs - 2));
}

// RFC 8445 section 7.3.1.1: our tie-breaker is the largest.
TEST_F(IceAgentTest, StaysInControl) {
  arrive(check(test::CheckFields::Role::controlling), kFirst);
  const auto response = stun::decode(sent_.back().bytes).value();
  EXPECT_EQ(response.error_code, 487);
  EXPECT_THAT(events_, IsEmpty());
}

// ---- consent (RFC 7675)

TEST_F(IceAgentTest, ChecksTheConsent) {
  connect();
  for (int i = 0; i < 20; ++i) {
    const auto before = sent_.size();
    run_for(6s);
    ASSERT_GT(sent_.size(), before);
    EXPECT_FALSE(last_nominates());
    answer_last();
  }
  EXPECT_THAT(events_, IsEmpty());
  EXPECT_LE(sent_.size(), 31U) << "one in 4 to 6 seconds";
}

TEST_F(IceAgentTest, EndsWithoutConsent) {
  connect();
  run_for(29s);
  EXPECT_THAT(events_, IsEmpty());
  run_for(7s);
  EXPECT_THAT(events_, ElementsAre(What::failed));
  EXPECT_FALSE(agent_.next_timeout());
}

TEST_F(IceAgentTest, ARefusalDoesNotEndWhatWorks) {
  connect();
  run_for(5s);
  answer_last(stun::MessageClass::error_response);
  EXPECT_THAT(events_, IsEmpty());
  run_for(6s);
  answer_last();
  run_for(25s);
  EXPECT_THAT(events_, IsEmpty());
}

}  // namespace
}  // namespace sluice::interop
