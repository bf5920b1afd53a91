// Calls between two NiceTransports in one context: real libnice, libsrtp and DTLS on loopback.
#include <algorithm>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenario/nice_transport/peer.h"
#include "support/bytes.h"
#include "support/main_context.h"

namespace sluice {
namespace {

using nice::IceRole;
using nice::SendStatus;
using test::bytes_of;
using test::Peer;

class NiceTransportCall : public testing::Test {
 public:
  std::unique_ptr<Peer> make_peer(IceRole role, nice::Setup answer_setup = nice::Setup::active) {
    auto options = test::on_loopback(role, test::make_config(environment));
    options.answer_setup = answer_setup;
    return make_peer(options);
  }
  std::unique_ptr<Peer> make_peer(const nice::NiceTransportOptions& options) {
    return std::make_unique<Peer>(environment, context.get(), options);
  }

  [[nodiscard]] bool run_until_connected() {
    return context.run_until([&] { return a->connected() && b->connected(); });
  }

  void connect() {
    test::exchange_descriptions(*a, *b);
    ASSERT_TRUE(run_until_connected());
  }

  void expect_media_and_data(Peer& from, Peer& to) {
    const auto rtp = test::make_rtp({.sequence = sequence++});
    const auto rtcp = test::make_rtcp();
    to.rtp.clear();
    to.rtcp.clear();
    to.data.clear();
    from.quietly([&](auto& t) {
      EXPECT_EQ(t.send_rtp(rtp), SendStatus::sent);
      EXPECT_EQ(t.send_rtcp(rtcp), SendStatus::sent);
      EXPECT_EQ(t.send_data(bytes_of("hello")), SendStatus::sent);
    });
    EXPECT_TRUE(
        context.run_until([&] { return !to.rtp.empty() && !to.rtcp.empty() && !to.data.empty(); }));
    EXPECT_THAT(to.rtp, testing::ElementsAre(rtp));
    EXPECT_THAT(to.rtcp, testing::ElementsAre(rtcp));
    EXPECT_THAT(to.data, testing::ElementsAre("hello"));
  }

  test::MainContext context;
  dtls::Environment environment = dtls::Environment::make().value();
  std::uint16_t sequence = 1;
  std::unique_ptr<Peer> a = make_peer(IceRole::controlling);
  std::unique_ptr<Peer> b = make_peer(IceRole::controlled);
};

class NiceTransportCryptex : public NiceTransportCall {
 public:
  void SetUp() override {
    if (!srtp::has_cryptex()) GTEST_SKIP() << "libsrtp has cryptex from 2.8.0 on";
  }
  void make_both(srtp::Cryptex of_offerer, srtp::Cryptex of_answerer) {
    for (const bool is_offerer : {true, false}) {
      auto options = test::on_loopback(is_offerer ? IceRole::controlling : IceRole::controlled,
                                       test::make_config(environment));
      options.media.srtp.cryptex = is_offerer ? of_offerer : of_answerer;
      (is_offerer ? a : b) = make_peer(options);
    }
  }
};

TEST_F(NiceTransportCryptex, IsUsedWhereBothDescriptionsSayIt) {
  using srtp::Cryptex;
  const struct {
    Cryptex offerer, answerer, offerer_does, answerer_does;
  } cases[] = {{Cryptex::on, Cryptex::required, Cryptex::on, Cryptex::required},
               {Cryptex::on, Cryptex::receive, Cryptex::on, Cryptex::receive},
               {Cryptex::on, Cryptex::off, Cryptex::receive, Cryptex::off},
               {Cryptex::off, Cryptex::on, Cryptex::off, Cryptex::receive}};
  for (const auto& each : cases) {
    make_both(each.offerer, each.answerer);
    EXPECT_EQ(a->transport->local_description().cryptex, each.offerer != Cryptex::off);
    connect();
    EXPECT_EQ(b->transport->local_description().cryptex,
              each.offerer != Cryptex::off && each.answerer != Cryptex::off);
    expect_media_and_data(*a, *b);
    expect_media_and_data(*b, *a);
    EXPECT_EQ(a->transport->cryptex(), each.offerer_does);
    EXPECT_EQ(b->transport->cryptex(), each.answerer_does);
    EXPECT_EQ(b->transport->srtp_session()->cryptex(), each.answerer_does);
  }
}

TEST_F(NiceTransportCryptex, APeerWithoutItIsRefusedWhereItIsRequired) {
  make_both(srtp::Cryptex::off, srtp::Cryptex::required);
  ASSERT_TRUE(a->transport->gather());
  const auto refused = b->transport->set_remote_offer(a->transport->local_description());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, nice::TransportErrc::no_cryptex);
  EXPECT_EQ(to_string(refused.error().code), "no_cryptex");
}

class NiceTransportRoles : public NiceTransportCall,
                           public testing::WithParamInterface<nice::Setup> {};

TEST_P(NiceTransportRoles, CarryMediaAndDataBothWays) {
  b = make_peer(IceRole::controlled, GetParam());
  connect();
  const bool answerer_is_client = GetParam() == nice::Setup::active;
  EXPECT_EQ(b->connections.front().role,
            answerer_is_client ? dtls::Role::client : dtls::Role::server);
  EXPECT_EQ(a->connections.front().role,
            answerer_is_client ? dtls::Role::server : dtls::Role::client);
  EXPECT_EQ(b->transport->local_description().setup, GetParam());
  EXPECT_EQ(a->connections.front().srtp_profile, dtls::SrtpProfile::aead_aes_256_gcm);
  expect_media_and_data(*a, *b);
  expect_media_and_data(*b, *a);

  const auto statistics = a->transport->ice_statistics();
  ASSERT_TRUE(statistics.selected_pair.has_value());
  EXPECT_EQ(*statistics.selected_pair, a->pairs.back());
  EXPECT_EQ(statistics.selected_pair->local.address, "127.0.0.1");
  EXPECT_TRUE(statistics.connecting_time.has_value());
  EXPECT_EQ(a->transport->media_statistics().rtp_sent, 1u);
  EXPECT_EQ(a->transport->media_statistics().rtp_received, 1u);
  EXPECT_EQ(a->associations(), 1u);
  ASSERT_TRUE(a->transport->dtls_statistics());
}

// Without it DTLS's first timeout would be 1 s.
TEST_F(NiceTransportCall, BoundsTheRoundTripByItsChecks) {
  connect();
  for (const auto* peer : {a.get(), b.get()}) {
    const auto statistics = peer->transport->ice_statistics();
    ASSERT_TRUE(statistics.connecting_time);
    if (*statistics.connecting_time > std::chrono::milliseconds{500}) {
      GTEST_SKIP() << "this machine is too busy for a bound";
    }
    ASSERT_TRUE(statistics.rtt_bound);
    EXPECT_LE(*statistics.rtt_bound, *statistics.connecting_time);
  }
}

// RFC 8445 section 12.1: a side may have selected its pair, and send, before the other side has.
TEST_F(NiceTransportCall, AnswersAClientHelloOnceItsOwnPairIsSelected) {
  test::MainContext others;
  const auto aggressive = [&](IceRole role) {
    auto options = test::on_loopback(role, test::make_config(environment));
    options.ice.nomination = nice::Nomination::aggressive;
    return options;
  };
  a = make_peer(aggressive(IceRole::controlling));
  b = std::make_unique<Peer>(environment, others.get(), aggressive(IceRole::controlled));
  ASSERT_TRUE(a->transport->gather());
  ASSERT_TRUE(context.run_until([&] { return a->candidates_done; }));
  // Without candidates `b` begins no checks of its own, it only answers those of `a`.
  auto offer = a->transport->local_description();
  offer.candidates.clear();
  ASSERT_TRUE(b->transport->set_remote_offer(offer));
  ASSERT_TRUE(others.run_until([&] { return b->candidates_done; }));
  ASSERT_TRUE(a->transport->set_remote_answer(b->transport->local_description()));

  const auto datagrams_sent = [](Peer& peer) {
    const auto statistics = peer.transport->dtls_statistics();
    return statistics ? statistics->datagrams_sent : 0;
  };
  ASSERT_TRUE(context.run_until([&] {
    if (a->pairs.empty()) others.run_ready();
    return datagrams_sent(*a) > 0;
  })) << "the ClientHello is on its way";
  const auto received = [&] {
    return b->transport->media_statistics().count(transport::PacketClass::dtls);
  };
  // `a` stands still, so that the checks of `b` have no answers.
  ASSERT_TRUE(others.run_until([&] { return received() > 0; }));
  ASSERT_TRUE(b->pairs.empty());
  EXPECT_EQ(datagrams_sent(*b), 0U) << "ICE would drop it";
  ASSERT_TRUE(context.run_until([&] {
    others.run_ready();
    return a->connected() && b->connected();
  }));
  EXPECT_GT(datagrams_sent(*b), 0U);
}

TEST_F(NiceTransportCall, AnswersActpassAsServer) {
  EXPECT_EQ(nice::NiceTransportOptions{}.answer_setup, nice::Setup::passive);
  b = make_peer(IceRole::controlled, nice::NiceTransportOptions{}.answer_setup);
  connect();
  EXPECT_EQ(b->connections.front().role, dtls::Role::server);
}

// RFC 8842 section 5.3.
TEST_F(NiceTransportCall, AnAnswerThatSaysActpassIsRefused) {
  ASSERT_TRUE(a->transport->gather().has_value());
  ASSERT_TRUE(b->transport->set_remote_offer(a->transport->local_description()).has_value());
  auto answer = b->transport->local_description();
  answer.setup = nice::Setup::actpass;
  const auto taken = a->transport->set_remote_answer(answer);
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().code, nice::TransportErrc::invalid_setup);
  ASSERT_TRUE(a->transport->set_remote_answer(b->transport->local_description()).has_value());
  ASSERT_TRUE(run_until_connected());
}

// So that a test can repeat a call.
TEST_F(NiceTransportCall, ATlsIdIsOfTheEnvironmentsRandomNumbers) {
  test::SeededRandom random{7};
  auto repeated = dtls::Environment::make({.random = &random}).value();
  const auto options = test::on_loopback(IceRole::controlling, test::make_config(repeated));
  const auto tls_id = [&](std::uint64_t seed) {
    random.restart(seed);
    const Peer peer(repeated, context.get(), options);
    return peer.transport->local_description().tls_id;
  };
  const auto first = tls_id(7);
  EXPECT_EQ(tls_id(7), first);
  EXPECT_NE(tls_id(8), first);
}

// RFC 8842 sections 4, 5.2 and 5.3.
TEST_F(NiceTransportCall, AnswersWithATlsIdIfTheOfferHasOne) {
  ASSERT_TRUE(a->transport->gather().has_value());
  auto offer = a->transport->local_description();
  EXPECT_THAT(offer.tls_id, testing::SizeIs(testing::AllOf(testing::Ge(20), testing::Le(255))));
  ASSERT_TRUE(b->transport->set_remote_offer(offer).has_value());
  const auto answer = b->transport->local_description();
  EXPECT_THAT(answer.tls_id, testing::SizeIs(testing::AllOf(testing::Ge(20), testing::Le(255))));
  EXPECT_NE(answer.tls_id, offer.tls_id);
  EXPECT_EQ(b->transport->local_description().tls_id, answer.tls_id) << "it stays";

  auto other = make_peer(IceRole::controlled);
  offer.tls_id.clear();
  ASSERT_TRUE(other->transport->set_remote_offer(offer).has_value());
  EXPECT_EQ(other->transport->local_description().tls_id, "");
}

INSTANTIATE_TEST_SUITE_P(Setup, NiceTransportRoles,
                         testing::Values(nice::Setup::active, nice::Setup::passive),
                         [](const auto& setup) { return std::string(to_string(setup.param)); });

TEST_F(NiceTransportCall, TricklesCandidates) {
  // What signalling does: descriptions without candidates, which follow in their own messages.
  ASSERT_TRUE(a->transport->gather().has_value());
  auto offer = a->transport->local_description();
  offer.candidates.clear();
  ASSERT_TRUE(b->transport->set_remote_offer(offer).has_value());
  auto answer = b->transport->local_description();
  answer.candidates.clear();
  ASSERT_TRUE(a->transport->set_remote_answer(answer).has_value());

  ASSERT_TRUE(context.run_until([&] { return a->candidates_done && b->candidates_done; }));
  EXPECT_FALSE(a->connected());
  for (const auto& line : a->candidates) {
    EXPECT_EQ(b->transport->add_remote_candidate("a=" + line + "\r\n"),
              nice::CandidateStatus::added);
  }
  for (const auto& line : b->candidates) {
    EXPECT_EQ(a->transport->add_remote_candidate(line), nice::CandidateStatus::added);
  }
  a->transport->end_of_remote_candidates();
  b->transport->end_of_remote_candidates();
  ASSERT_TRUE(run_until_connected());
  expect_media_and_data(*a, *b);
}

TEST_F(NiceTransportCall, GathersAllBeforeTheOffer) {
  ASSERT_TRUE(a->transport->gather().has_value());
  ASSERT_TRUE(context.run_until([&] { return a->candidates_done; }));
  const auto offer = a->transport->local_description();
  EXPECT_TRUE(offer.end_of_candidates);
  EXPECT_EQ(offer.candidates, a->candidates);
  connect();
}

TEST_F(NiceTransportCall, WorksWithAggressiveNomination) {
  auto options = test::on_loopback(IceRole::controlling, test::make_config(environment));
  options.ice.nomination = nice::Nomination::aggressive;
  a = make_peer(options);
  connect();
  expect_media_and_data(*a, *b);
}

TEST_F(NiceTransportCall, ResolvesARoleConflict) {
  b = make_peer(IceRole::controlling);
  connect();
  expect_media_and_data(*b, *a);
}

TEST_F(NiceTransportCall, WorksOverTcp) {
  for (auto* peer : {&a, &b}) {
    auto options = test::on_loopback(peer == &a ? IceRole::controlling : IceRole::controlled,
                                     test::make_config(environment));
    options.ice.tcp = true;
    *peer = make_peer(options);
  }
  ASSERT_TRUE(a->transport->gather().has_value());
  auto offer = a->transport->local_description();
  std::erase_if(offer.candidates,
                [](const auto& line) { return line.find(" TCP ") == std::string::npos; });
  ASSERT_FALSE(offer.candidates.empty());
  ASSERT_TRUE(b->transport->set_remote_offer(offer).has_value());
  auto answer = b->transport->local_description();
  std::erase_if(answer.candidates,
                [](const auto& line) { return line.find(" TCP ") == std::string::npos; });
  ASSERT_TRUE(a->transport->set_remote_answer(answer).has_value());
  ASSERT_TRUE(run_until_connected());
  EXPECT_TRUE(a->pairs.back().local.tcp);
  expect_media_and_data(*a, *b);
}

// RFC 5763 section 5: the answer may come after the first packets.
TEST_F(NiceTransportCall, TakesAClientHelloBeforeTheAnswer) {
  // The answerer controls, so it finds a pair by itself as soon as its checks are answered.
  a = make_peer(IceRole::controlled);
  b = make_peer(IceRole::controlling);
  ASSERT_TRUE(a->transport->gather().has_value());
  ASSERT_TRUE(b->transport->set_remote_offer(a->transport->local_description()).has_value());
  const auto answer = b->transport->local_description();
  ASSERT_TRUE(context.run_until(
      [&] { return a->transport->media_statistics().count(transport::PacketClass::dtls) > 0; }));
  EXPECT_EQ(a->transport->ice_statistics().datagrams_sent, 0u);  // no pair to answer over
  ASSERT_TRUE(a->transport->set_remote_answer(answer).has_value());
  ASSERT_TRUE(run_until_connected());
  EXPECT_EQ(b->transport->dtls_statistics()->flights_retransmitted, 0u);
  expect_media_and_data(*a, *b);
}

TEST_F(NiceTransportCall, SaysWhyItDoesNotSend) {
  const auto rtp = test::make_rtp();
  EXPECT_EQ(a->transport->send_rtp(rtp), SendStatus::not_connected);
  EXPECT_EQ(a->transport->send_rtcp(test::make_rtcp()), SendStatus::not_connected);
  EXPECT_EQ(a->transport->send_data(bytes_of("x")), SendStatus::not_connected);
  EXPECT_FALSE(a->transport->connected());
  EXPECT_FALSE(a->transport->info().has_value());
  connect();
  EXPECT_EQ(a->transport->send_rtp(bytes_of("no rtp")), SendStatus::malformed);
  EXPECT_EQ(a->transport->send_rtp(rtp), SendStatus::sent);
  EXPECT_EQ(a->transport->send_rtp(rtp), SendStatus::sent) << "a retransmission";
  auto other = rtp;
  other.back() ^= std::byte{1};
  EXPECT_EQ(a->transport->send_rtp(other), SendStatus::repeated);
  EXPECT_EQ(a->transport->media_statistics()
                .media_send_refused[static_cast<std::size_t>(srtp::PacketError::index_reused)],
            1u);
  const test::Packet large(nice::kMaxSend + 1);
  EXPECT_EQ(a->transport->send_rtp(large), SendStatus::too_large);
  EXPECT_EQ(a->transport->send_data(large), SendStatus::too_large);
  // Loopback takes the largest there is.
  const test::Packet largest(nice::kMaxSend);
  EXPECT_EQ(a->transport->send_data(largest), SendStatus::sent);
  EXPECT_TRUE(context.run_until([&] { return !b->data.empty(); }));
  EXPECT_EQ(b->data.front().size(), nice::kMaxSend);
}

TEST_F(NiceTransportCall, EndsAtOnceOnAWrongFingerprint) {
  ASSERT_TRUE(a->transport->gather().has_value());
  auto offer = a->transport->local_description();
  offer.fingerprints.front().value.front() ^= std::byte{1};
  ASSERT_TRUE(b->transport->set_remote_offer(offer).has_value());
  ASSERT_TRUE(a->transport->set_remote_answer(b->transport->local_description()).has_value());
  ASSERT_TRUE(context.run_until([&] { return !a->closed.empty() && !b->closed.empty(); }));

  ASSERT_EQ(b->closed.front().cause, nice::CloseReason::Cause::error);
  EXPECT_EQ(b->closed.front().error->code, dtls::Errc::peer_rejected);
  EXPECT_EQ(b->closed.front().error->alert, dtls::Alert::bad_certificate);
  ASSERT_EQ(a->closed.front().cause, nice::CloseReason::Cause::error);
  EXPECT_EQ(a->closed.front().error->code, dtls::Errc::alert_received);
  EXPECT_EQ(a->closed.front().error->alert, dtls::Alert::bad_certificate);
  EXPECT_FALSE(b->connected());
  EXPECT_EQ(b->transport->send_rtp(test::make_rtp()), SendStatus::not_connected);
  EXPECT_TRUE(a->rtp.empty() && a->data.empty() && b->rtp.empty() && b->data.empty());
}

TEST_F(NiceTransportCall, TellsThePeerWhenItCloses) {
  connect();
  a->quietly([](auto& t) { t.close(); });
  ASSERT_TRUE(context.run_until([&] { return !a->closed.empty() && !b->closed.empty(); }));
  EXPECT_EQ(a->closed.front().cause, nice::CloseReason::Cause::local);
  EXPECT_EQ(b->closed.front().cause, nice::CloseReason::Cause::peer);
  EXPECT_EQ(b->transport->send_data(bytes_of("late")), SendStatus::not_connected);
  // What it has seen can still be asked for.
  EXPECT_TRUE(b->transport->ice_statistics().selected_pair.has_value());
  const auto again = b->transport->gather();
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, nice::TransportErrc::closed);
  const auto restarted = b->transport->restart_ice();
  EXPECT_FALSE(restarted.has_value());
  b->transport->close();
  context.run_ready();
  EXPECT_EQ(b->closed.size(), 1u);
}

TEST_F(NiceTransportCall, ClosesBeforeItIsConnected) {
  a->transport->close();
  ASSERT_TRUE(context.run_until([&] { return !a->closed.empty(); }));
  EXPECT_EQ(a->closed.front().cause, nice::CloseReason::Cause::local);
}

TEST_F(NiceTransportCall, RefusesADescriptionAndStaysAsItWas) {
  ASSERT_TRUE(a->transport->gather().has_value());
  const auto good = a->transport->local_description();
  auto bad = good;
  bad.ice.ufrag = "a";
  EXPECT_EQ(b->transport->set_remote_offer(bad).error().code,
            nice::TransportErrc::invalid_credentials);
  bad = good;
  bad.fingerprints.clear();
  EXPECT_EQ(b->transport->set_remote_offer(bad).error().code, nice::TransportErrc::no_fingerprint);
  connect();
  // RFC 8842 section 6: a new association needs an ICE restart.
  bad = a->transport->local_description();
  bad.fingerprints.front().value.front() ^= std::byte{1};
  EXPECT_EQ(b->transport->set_remote_offer(bad).error().code,
            nice::TransportErrc::needs_ice_restart);
  bad = a->transport->local_description();
  bad.tls_id = "another";
  EXPECT_EQ(b->transport->set_remote_offer(bad).error().code,
            nice::TransportErrc::needs_ice_restart);
  // The same again, as in a re-offer, is none.
  auto same = a->transport->local_description();
  same.setup = nice::Setup::actpass;
  EXPECT_TRUE(b->transport->set_remote_offer(same).has_value());
  EXPECT_EQ(b->associations(), 1u);
  expect_media_and_data(*a, *b);
}

TEST_F(NiceTransportCall, RefusesOptionsByName) {
  auto options = test::on_loopback(IceRole::controlling, nullptr);
  EXPECT_EQ(nice::NiceTransport::make(options, environment, context.get(), *a).error().code,
            nice::TransportErrc::invalid_options);
  options = test::on_loopback(IceRole::controlling, test::make_config(environment));
  options.ice.local_addresses = {"nowhere"};
  const auto made = nice::NiceTransport::make(options, environment, context.get(), *a);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().detail, "local_addresses");
}

}  // namespace
}  // namespace sluice
