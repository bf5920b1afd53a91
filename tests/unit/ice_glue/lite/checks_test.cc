// Which Binding requests are valid, and what is answered: RFC 8489 section 9.1.3, RFC 8445 section
// 7.3.
#include <sluice/stun/integrity.h>

#include "lite_server.h"

namespace sluice::ice_lite {
namespace {

TEST(LiteChecks, AnswerAValidOneWithTheMappedAddress) {
  LiteServer lite;
  const auto session = lite.add();
  EXPECT_EQ(lite.check(lite.check_for(session), kPeer), kSuccess);
  ASSERT_EQ(lite.sent.size(), 1U);
  EXPECT_EQ(lite.sent.front().path, LiteServer::path(kPeer));
  const auto response = stun::decode(lite.sent.front().bytes);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->xor_mapped_address, kPeer);
  EXPECT_TRUE(response->has_fingerprint);
  EXPECT_FALSE(response->username) << "RFC 8489 section 9.1.3";
  const auto key = test::must(
      stun::IntegrityKey::make(test::environment(), lite.server.local_credentials(session)->pwd));
  EXPECT_TRUE(stun::verify_integrity(*response, test::environment(), key));
  EXPECT_EQ(lite.server.statistics().checks, 1U);
  EXPECT_EQ(lite.server.find(LiteServer::path(kPeer)), session);
}

TEST(LiteChecks, AnswerOverIpv6) {
  LiteServer lite;
  const auto session = lite.add();
  const dtls::UdpEndpoint peer{dtls::Ipv6Address{0x20, 0x01, 0x0d, 0xb8, 1}, 6000};
  EXPECT_EQ(lite.check(lite.check_for(session), peer), kSuccess);
  EXPECT_EQ(stun::decode(lite.sent.at(0).bytes)->xor_mapped_address, peer);
}

// RFC 8445 section 7.3: before the answer has come, the peer's credentials are not known.
TEST(LiteChecks, NeedNotKnowThePeersUfrag) {
  LiteServer lite;
  const auto session = lite.add();
  EXPECT_EQ(lite.check(lite.check_for(session), kPeer), kSuccess);
}

TEST(LiteChecks, DropThoseOfAnotherPeer) {
  LiteServer lite;
  const auto session = lite.add({.remote_ufrag = "other"});
  EXPECT_EQ(lite.check(lite.check_for(session), kPeer), std::nullopt);
  EXPECT_EQ(lite.dropped(Drop::wrong_remote_ufrag), 1U);
  EXPECT_EQ(lite.server.tuples(), 0U);
}

TEST(LiteChecks, ForgetThoseOfAnotherPeerOnceThePeerIsKnown) {
  LiteServer lite;
  const auto session = lite.add();
  lite.nominate(session, kPeer);
  auto fields = lite.check_for(session);
  fields.username = lite.server.local_credentials(session)->ufrag + ":second";
  lite.check(fields, address(2, 1));
  EXPECT_EQ(lite.server.tuples(), 2U);
  EXPECT_TRUE(lite.server.set_remote_ufrag(session, "peer", lite.now));
  EXPECT_EQ(lite.server.tuples(), 1U);
  EXPECT_EQ(lite.server.find(LiteServer::path(kPeer)), session);
  EXPECT_FALSE(lite.server.find(LiteServer::path(address(2, 1))));
  EXPECT_EQ(lite.check(fields, address(2, 1)), std::nullopt);
  EXPECT_FALSE(lite.server.set_remote_ufrag(session, "a:b", lite.now)) << "no ice-chars";
}

struct Refused {
  const char* name;
  void (*change)(CheckFields&);
  std::optional<LiteServer::Answer> answer;
  Drop reason;
};

class LiteRefuses : public testing::TestWithParam<Refused> {};

const Refused kRefused[] = {
    {"no_username", [](CheckFields& f) { f.username.clear(); }, error(400), Drop::bad_request},
    {"no_integrity", [](CheckFields& f) { f.pwd.clear(); }, error(400), Drop::bad_request},
    {"no_priority", [](CheckFields& f) { f.priority.reset(); }, error(400), Drop::bad_request},
    {"an_unknown_ufrag", [](CheckFields& f) { f.username = "unknown:peer"; }, error(401),
     Drop::unknown_ufrag},
    {"no_colon", [](CheckFields& f) { f.username.resize(f.username.find(':')); }, error(401),
     Drop::unknown_ufrag},
    {"a_wrong_password", [](CheckFields& f) { f.pwd.back() ^= 1; }, error(401),
     Drop::wrong_integrity},
    {"an_unknown_attribute", [](CheckFields& f) { f.other_attribute = 0x0777; }, error(420),
     Drop::unknown_attribute},
    {"a_controlled_peer", [](CheckFields& f) { f.role = CheckFields::Role::controlled; },
     error(487), Drop::role_conflict},
    {"no_fingerprint", [](CheckFields& f) { f.has_fingerprint = false; }, std::nullopt,
     Drop::no_fingerprint},
    {"another_method", [](CheckFields& f) { f.type = 0x0003; }, std::nullopt,
     Drop::unexpected_method},
    {"an_indication", [](CheckFields& f) { f.type = 0x0011; }, std::nullopt, Drop::indication},
    {"a_response", [](CheckFields& f) { f.type = 0x0101; }, std::nullopt,
     Drop::unexpected_response},
    {"an_error_response", [](CheckFields& f) { f.type = 0x0111; }, std::nullopt,
     Drop::unexpected_response},
};

INSTANTIATE_TEST_SUITE_P(Checks, LiteRefuses, testing::ValuesIn(kRefused),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_P(LiteRefuses, AndCounts) {
  LiteServer lite;
  const auto session = lite.add();
  auto fields = lite.check_for(session);
  GetParam().change(fields);
  EXPECT_EQ(lite.check(fields, kPeer), GetParam().answer);
  EXPECT_EQ(lite.dropped(GetParam().reason), 1U);
  EXPECT_EQ(lite.server.tuples(), 0U);
  EXPECT_EQ(lite.server.statistics().checks, 0U);
  EXPECT_EQ(lite.server.statistics().error_responses, GetParam().answer ? 1U : 0U);
}

// RFC 8489 section 9.1.3: who is not authentic gets no MESSAGE-INTEGRITY; others do.
TEST(LiteChecks, ProtectErrorsForAuthenticRequestsOnly) {
  LiteServer lite;
  const auto session = lite.add();
  auto fields = lite.check_for(session);
  fields.role = CheckFields::Role::controlled;
  lite.check(fields, kPeer);
  EXPECT_TRUE(stun::decode(lite.sent.at(0).bytes)->integrity_at);
  fields.pwd += "x";
  lite.check(fields, kPeer);
  EXPECT_FALSE(stun::decode(lite.sent.at(0).bytes)->integrity_at);
}

TEST(LiteChecks, NameTheUnknownAttribute) {
  LiteServer lite;
  auto fields = lite.check_for(lite.add());
  fields.other_attribute = 0x0777;
  lite.check(fields, kPeer);
  const auto response = stun::decode(lite.sent.at(0).bytes);
  ASSERT_TRUE(response && response->unknown_to_peer);
  ASSERT_EQ(response->unknown_to_peer->types().size(), 1U);
  EXPECT_EQ(response->unknown_to_peer->types()[0], stun::AttributeType{0x0777});
}

// RFC 8445 section 7.3.1.1, of older agents.
TEST(LiteChecks, TakeOneWithoutARole) {
  LiteServer lite;
  auto fields = lite.check_for(lite.add());
  fields.role = CheckFields::Role::none;
  EXPECT_EQ(lite.check(fields, kPeer), kSuccess);
}

TEST(LiteChecks, NeverAnswerWithMoreThanCame) {
  LiteServer lite;
  const auto session = lite.add();
  // A header and FINGERPRINT: 28 bytes; the error response takes 48.
  const CheckFields bare{.priority = std::nullopt, .role = CheckFields::Role::none};
  EXPECT_EQ(lite.check(bare, kPeer), std::nullopt);
  EXPECT_EQ(lite.dropped(Drop::bad_request), 1U);
  EXPECT_EQ(lite.dropped(Drop::response_larger), 1U);
  // What is answered is no smaller than its answer.
  for (const auto& each : kRefused) {
    auto fields = lite.check_for(session);
    each.change(fields);
    lite.sent.clear();
    const auto request = make_check(fields);
    lite.send(request, kPeer);
    for (const auto& sent : lite.sent) EXPECT_LE(sent.bytes.size(), request.size()) << each.name;
  }
}

TEST(LiteChecks, AnswerStrangersSoManyTimesASecond) {
  LiteServer lite({.max_error_responses = 3});
  const auto session = lite.add();
  auto fields = lite.check_for(session);
  fields.pwd += "x";
  const auto answered = [&] {
    int count = 0;
    for (int i = 0; i < 10; ++i) count += lite.check(fields, kPeer).has_value() ? 1 : 0;
    return count;
  };
  EXPECT_EQ(answered(), 3);
  EXPECT_EQ(lite.dropped(Drop::response_budget), 7U);
  EXPECT_EQ(lite.dropped(Drop::wrong_integrity), 10U);
  EXPECT_EQ(lite.check(lite.check_for(session), kPeer), kSuccess) << "no limit for the authentic";
  lite.pass(334ms);
  EXPECT_EQ(answered(), 1);
  lite.pass(1s);
  EXPECT_EQ(answered(), 3);
}

TEST(LiteChecks, AnswerNoStrangersWithoutABudget) {
  LiteServer lite({.max_error_responses = 0});
  auto fields = lite.check_for(lite.add());
  fields.role = CheckFields::Role::controlled;
  EXPECT_EQ(lite.check(fields, kPeer), error(487)) << "no limit for the authentic";
  fields.pwd += "x";
  EXPECT_EQ(lite.check(fields, kPeer), std::nullopt);
}

TEST(LiteChecks, AnswerARetransmissionAgain) {
  LiteServer lite;
  auto fields = lite.check_for(lite.add());
  fields.transaction.emplace()[11] = std::byte{7};
  EXPECT_EQ(lite.check(fields, kPeer), kSuccess);
  EXPECT_EQ(lite.check(fields, kPeer), kSuccess);
  EXPECT_EQ(lite.server.tuples(), 1U);
}

TEST(LiteChecks, QueueSoManyResponses) {
  LiteServer lite;
  const auto session = lite.add();
  for (std::size_t i = 0; i < kMaxQueuedResponses + 2; ++i) {
    auto check = make_check(lite.check_for(session));
    lite.server.handle_datagram(check, LiteServer::path(kPeer), lite.now);
  }
  EXPECT_EQ(lite.dropped(Drop::response_queue), 2U);
  lite.drain();
  EXPECT_EQ(lite.sent.size(), kMaxQueuedResponses);
}

TEST(LiteChecks, CountWhatIsNoStun) {
  LiteServer lite;
  lite.send(dtls::Buffer(20), kPeer);
  EXPECT_EQ(lite.dropped(Drop::malformed_stun), 1U);
  EXPECT_EQ(lite.server.statistics().count(stun::DecodeError::wrong_magic_cookie), 1U);
  auto damaged = make_check(lite.check_for(lite.add()));
  damaged[30] ^= std::byte{1};
  lite.send(damaged, kPeer);
  EXPECT_EQ(lite.server.statistics().count(stun::DecodeError::wrong_fingerprint), 1U);
  EXPECT_TRUE(lite.sent.empty());
}

TEST(LiteChecks, DropWhatComesFromNobody) {
  LiteServer lite;
  lite.add();
  lite.send(test::make_rtp(), kPeer);
  lite.send(dtls::Buffer(100, std::byte{23}), kPeer);
  lite.send({}, kPeer);
  EXPECT_EQ(lite.dropped(Drop::unknown_tuple), 3U);
  EXPECT_EQ(lite.server.statistics().datagrams_received, 3U);
}

}  // namespace
}  // namespace sluice::ice_lite
