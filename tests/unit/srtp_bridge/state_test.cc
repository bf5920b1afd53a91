// Sessions that move: no index is used twice, no packet accepted twice, none lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "session_peers.h"
#include "state_form.h"

namespace sluice::srtp {
namespace {

using dtls::SrtpProfile;
using testing::ElementsAre;
using testing::IsEmpty;

SrtpState copy_of(const SrtpState& state) { return SrtpState::parse(state.bytes()).value(); }

tl::expected<Session, SetupError> restored(SrtpProfile profile, bool is_client, SrtpState state,
                                           SessionOptions options = {}, dtls::Buffer mki = {}) {
  auto keys = test::make_srtp_keys(profile);
  auto& own = is_client ? keys.client : keys.server;
  own.mki = std::move(mki);
  return Session::restore(std::move(own), std::move(state), options);
}

Packet rtp(std::uint32_t ssrc, unsigned sequence) {
  return make_rtp({.ssrc = ssrc, .sequence = static_cast<std::uint16_t>(sequence), .payload = 20});
}

std::uint32_t srtcp_index(SrtpProfile profile, const Packet& packet, std::size_t mki = 0) {
  const bool is_gcm =
      profile == SrtpProfile::aead_aes_128_gcm || profile == SrtpProfile::aead_aes_256_gcm;
  std::uint32_t index = 0;
  for (const auto byte : std::span(packet).last(mki + (is_gcm ? 4 : 14)).first(4)) {
    index = index << 8 | std::to_integer<std::uint32_t>(byte);
  }
  return index & 0x7fff'ffff;
}

class StateTest : public testing::TestWithParam<SrtpProfile> {
 protected:
  void move(bool is_client, SessionOptions options = {}) {
    auto& session = is_client ? peers_.client : peers_.server;
    auto moved = restored(GetParam(), is_client, std::move(session).export_state(), options, mki_);
    ASSERT_TRUE(moved) << to_string(moved.error());
    session = std::move(*moved);
  }
  void move_both() {
    move(true);
    move(false);
  }

  dtls::Buffer mki_;
  Peers peers_ = make_peers(GetParam());
};
INSTANTIATE_TEST_SUITE_P(All, StateTest, testing::ValuesIn(test::kAllSrtpProfiles), profile_name);

TEST_P(StateTest, AnUnusedSessionMoves) {
  move_both();
  EXPECT_EQ(unprotect_rtp(peers_.server, protect_rtp(peers_.client, rtp(1, 7))), rtp(1, 7));
}

TEST_P(StateTest, BothDirectionsGoOnAndOverTheRollOver) {
  for (unsigned sequence = 65000; sequence < 65000 + 1100; ++sequence) {
    if (sequence % 100 == 0 || sequence == 65536) move_both();
    const auto sent = protect_rtp(peers_.client, rtp(1, sequence));
    ASSERT_EQ(unprotect_rtp(peers_.server, sent), rtp(1, sequence)) << sequence;
    ASSERT_EQ(unprotect_rtp(peers_.server, sent), kUnexpected(PacketError::replayed));
    const auto answer = protect_rtp(peers_.server, rtp(2, sequence));
    ASSERT_EQ(unprotect_rtp(peers_.client, answer), rtp(2, sequence)) << sequence;
  }
}

TEST_P(StateTest, AnyRollOverCounterMoves) {
  for (unsigned round = 0; round < 20; ++round) {
    const auto packet = rtp(1, round * 30000);
    const auto sent = protect_rtp(peers_.client, packet);
    ASSERT_EQ(unprotect_rtp(peers_.server, sent), packet) << round;
    move_both();
    ASSERT_EQ(unprotect_rtp(peers_.server, sent), kUnexpected(PacketError::replayed));
  }
}

// SSRC 1 has not come yet, 2 has sent RTCP, and 3 was removed after that.
TEST_P(StateTest, ExpectedRollOverCountersMove) {
  for (const std::uint32_t ssrc : {2U, 3U}) {
    ASSERT_TRUE(unprotect_rtcp(peers_.server, protect_rtcp(peers_.client, make_rtcp(ssrc))));
  }
  for (const std::uint32_t ssrc : {1U, 2U, 3U}) {
    ASSERT_TRUE(peers_.server.expect_roll_over_counter(ssrc, 2));
    for (unsigned i = 0; i <= 2 * 65536 + 7; i += 10'000) {
      ASSERT_FALSE(protect_rtp(peers_.client, rtp(ssrc, i)).empty());
    }
  }
  ASSERT_TRUE(peers_.server.remove_ssrc(Direction::inbound, 3));
  move(false);
  move(false);
  for (const std::uint32_t ssrc : {1U, 2U, 3U}) {
    const auto packet = rtp(ssrc, 2 * 65536 + 8);
    EXPECT_EQ(unprotect_rtp(peers_.server, protect_rtp(peers_.client, packet)), packet) << ssrc;
  }
  move(false);
  EXPECT_FALSE(peers_.server.expect_roll_over_counter(1, 3)) << "its RTP has come";
}

TEST_P(StateTest, LatePacketsAreTakenOnceAndReplaysNever) {
  std::vector<Packet> sent;
  for (unsigned i = 0; i < 200; ++i) sent.push_back(protect_rtp(peers_.client, rtp(1, 65500 + i)));
  std::vector<Packet> reports;
  for (unsigned i = 0; i < 100; ++i) reports.push_back(protect_rtcp(peers_.client, make_rtcp(1)));
  for (unsigned i = 0; i < 200; ++i) {
    if (i % 3 != 0) {
      ASSERT_TRUE(unprotect_rtp(peers_.server, sent[i]));
    }
  }
  for (unsigned i = 0; i < 100; ++i) {
    if (i % 3 != 0) {
      ASSERT_TRUE(unprotect_rtcp(peers_.server, reports[i]));
    }
  }
  move(false);
  move(false);
  for (unsigned i = 0; i < 200; ++i) {
    EXPECT_EQ(unprotect_rtp(peers_.server, sent[i]).has_value(), i % 3 == 0) << i;
  }
  for (unsigned i = 0; i < 100; ++i) {
    EXPECT_EQ(unprotect_rtcp(peers_.server, reports[i]).has_value(), i % 3 == 0) << i;
  }
  move(false);
  for (const auto& packet : sent) EXPECT_FALSE(unprotect_rtp(peers_.server, packet));
  for (const auto& packet : reports) EXPECT_FALSE(unprotect_rtcp(peers_.server, packet));
}

TEST_P(StateTest, SrtcpIndicesGoOn) {
  std::uint32_t newest = 0;
  for (unsigned i = 0; i < 900; ++i) {
    if (i % 150 == 140) move_both();
    const auto sent = protect_rtcp(peers_.client, make_rtcp(5));
    const auto index = srtcp_index(GetParam(), sent);
    ASSERT_GT(index, newest);
    ASSERT_LE(index, newest + 2) << "a move takes one index";
    newest = index;
    ASSERT_EQ(unprotect_rtcp(peers_.server, sent), make_rtcp(5));
    ASSERT_EQ(unprotect_rtcp(peers_.server, sent), kUnexpected(PacketError::replayed));
  }
}

TEST_P(StateTest, WithAnMki) {
  mki_ = dtls::Buffer(3, std::byte{7});
  auto keys = test::make_srtp_keys(GetParam());
  keys.client.mki = keys.server.mki = mki_;
  peers_ = {Session::make(std::move(keys.client)).value(),
            Session::make(std::move(keys.server)).value()};
  std::vector<Packet> sent;
  for (unsigned i = 0; i < 20; ++i) {
    sent.push_back(protect_rtp(peers_.client, rtp(1, 65530 + i)));
    if (i % 2 == 0) {
      ASSERT_TRUE(unprotect_rtp(peers_.server, sent.back()));
    }
    const auto report = protect_rtcp(peers_.client, make_rtcp(1));
    ASSERT_TRUE(unprotect_rtcp(peers_.server, report));
    if (i % 7 == 0) move_both();
    ASSERT_FALSE(unprotect_rtcp(peers_.server, report));
  }
  for (unsigned i = 0; i < 20; ++i) {
    EXPECT_EQ(unprotect_rtp(peers_.server, sent[i]).has_value(), i % 2 != 0) << i;
  }
}

TEST_P(StateTest, WhatWasSentIsNotSentAgain) {
  for (const unsigned sequence : {65530U, 65534U, 2U}) {
    ASSERT_FALSE(protect_rtp(peers_.client, rtp(1, sequence)).empty());
  }
  for (const std::size_t repeat_window : {512U, 0U, 0U}) {
    move(true, {.repeat_window = repeat_window});
    for (const unsigned sequence : {65530U, 65534U, 2U}) {
      EXPECT_TRUE(protect_rtp(peers_.client, rtp(1, sequence)).empty()) << sequence;
    }
  }
  // What was not may come late.
  for (const unsigned sequence : {65531U, 0U, 3U}) {
    const auto sent = protect_rtp(peers_.client, rtp(1, sequence));
    EXPECT_EQ(unprotect_rtp(peers_.server, sent), rtp(1, sequence));
  }
}

TEST_P(StateTest, RemovedAndRetiredSsrcsStaySo) {
  const auto old = protect_rtp(peers_.client, rtp(1, 10));
  ASSERT_TRUE(unprotect_rtp(peers_.server, old));
  ASSERT_TRUE(peers_.client.remove_ssrc(Direction::outbound, 1));
  ASSERT_TRUE(peers_.server.remove_ssrc(Direction::inbound, 1));
  move_both();
  auto buffer = rtp(1, 11);
  const auto size = buffer.size();
  buffer.resize(size + kMaxTrailer);
  EXPECT_EQ(peers_.client.protect_rtp(buffer, size), kUnexpected(PacketError::ssrc_retired));
  EXPECT_EQ(unprotect_rtp(peers_.server, old), kUnexpected(PacketError::replayed));
}

TEST_P(StateTest, AForgeryDoesNotSetTheRollOverCounter) {
  for (const unsigned sequence : {30000U, 60000U, 70000U}) {
    ASSERT_TRUE(unprotect_rtp(peers_.server, protect_rtp(peers_.client, rtp(1, sequence))));
  }
  const auto late = protect_rtp(peers_.client, rtp(1, 70001));
  const auto next = protect_rtp(peers_.client, rtp(1, 70002));
  move(false);
  for (const unsigned sequence : {0U, 20000U, 40000U, 60000U}) {
    auto forged = next;
    forged[2] = static_cast<std::byte>(sequence >> 8);
    EXPECT_FALSE(unprotect_rtp(peers_.server, forged));
  }
  EXPECT_TRUE(unprotect_rtp(peers_.server, next));
  EXPECT_TRUE(unprotect_rtp(peers_.server, late));
}

// libsrtp's stream begins with the late packet, far below the highest index.
TEST_P(StateTest, AJumpAfterALatePacketIsFollowed) {
  const SessionOptions wide{.replay_window = 32767};
  peers_ = make_peers(GetParam(), wide);
  ASSERT_TRUE(unprotect_rtp(peers_.server, protect_rtp(peers_.client, rtp(1, 65536 - 20000))));
  const auto late = protect_rtp(peers_.client, rtp(1, 65536 - 10000));
  const auto newest = protect_rtp(peers_.client, rtp(1, 65536 + 10000));
  ASSERT_TRUE(unprotect_rtp(peers_.server, newest));
  move(false, wide);
  move(true, wide);
  ASSERT_TRUE(unprotect_rtp(peers_.server, late));
  const auto jump = protect_rtp(peers_.client, rtp(1, 65536 + 30000));
  EXPECT_EQ(unprotect_rtp(peers_.server, jump), rtp(1, 65536 + 30000));
  EXPECT_FALSE(unprotect_rtp(peers_.server, late));
}

// Each packet meets what it would have met had the sessions not moved.
TEST_P(StateTest, AMoveChangesNothing) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
    // libsrtp rounds its window up to 32.
    const SessionOptions options{.replay_window = 64 + 32 * below(4), .repeat_window = 0};
    peers_ = make_peers(GetParam(), options);
    auto still = make_peers(GetParam(), options);
    std::array<unsigned, 3> at = {65400, 100, below(0x10000)};
    std::vector<Packet> sent;
    for (int i = 0; i < 1500; ++i) {
      const std::uint32_t ssrc = below(3);
      auto& next = at[ssrc];
      next += below(60) == 0 ? below(20000) : below(3);
      const auto plain = rtp(ssrc, next - below(40));
      const auto packet = protect_rtp(peers_.client, plain);
      ASSERT_EQ(packet, protect_rtp(still.client, plain)) << i;
      if (!packet.empty()) sent.push_back(packet);
      const auto back = std::min<std::size_t>(sent.size(), 1 + below(200));
      const auto& arrives = sent[sent.size() - back];
      ASSERT_EQ(unprotect_rtp(peers_.server, arrives), unprotect_rtp(still.server, arrives)) << i;
      if (below(40) == 0) move(below(2) == 0, options);
    }
  }
}

// ---- the form

SrtpState busy_state(SrtpProfile profile) {
  auto peers = make_peers(profile);
  for (unsigned i = 0; i < 40; i += 1 + i % 3) {
    EXPECT_TRUE(unprotect_rtp(peers.server, protect_rtp(peers.client, rtp(i % 4, 65520 + i))));
    EXPECT_TRUE(unprotect_rtcp(peers.server, protect_rtcp(peers.client, make_rtcp(i % 5))));
    EXPECT_FALSE(protect_rtp(peers.server, rtp(i % 4, 65520 + i)).empty());
    EXPECT_FALSE(protect_rtcp(peers.server, make_rtcp(i % 5)).empty());
  }
  EXPECT_TRUE(peers.server.remove_ssrc(Direction::outbound, 2));
  EXPECT_TRUE(peers.server.remove_ssrc(Direction::inbound, 2));
  return std::move(peers.server).export_state();
}

TEST_P(StateTest, IsSmall) {
  auto peers = make_peers(GetParam());
  for (unsigned i = 0; i < 3000; ++i) {
    ASSERT_TRUE(unprotect_rtp(peers.server, protect_rtp(peers.client, rtp(1, i))));
    ASSERT_TRUE(unprotect_rtcp(peers.server, protect_rtcp(peers.client, make_rtcp(1))));
  }
  EXPECT_EQ(std::move(peers.server).export_state().bytes().size(), 15U + 5 + 8 + 8);
  EXPECT_LE(std::move(peers.client).export_state().bytes().size(), 15U + 5 + 8 + 1 + 28);
}

TEST_P(StateTest, TruncatedIsRefused) {
  const auto state = busy_state(GetParam());
  for (std::size_t size = 0; size < state.bytes().size(); ++size) {
    const auto parsed = SrtpState::parse(state.bytes().first(size));
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error().code, dtls::Errc::decode_error);
    EXPECT_FALSE(parsed.error().detail.empty());
  }
  Packet longer(state.bytes().begin(), state.bytes().end());
  longer.push_back(std::byte{});
  EXPECT_FALSE(SrtpState::parse(longer));
}

TEST_P(StateTest, AlteredIsRefusedOrAnotherSession) {
  const auto state = busy_state(GetParam());
  for (std::size_t bit = 0; bit < state.bytes().size() * 8; ++bit) {
    Packet altered(state.bytes().begin(), state.bytes().end());
    altered[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const auto states = StreamStates::decode(altered);
    if (!states) continue;
    ASSERT_EQ(states->encode(), altered) << bit;
    const auto session = restored(GetParam(), false, SrtpState(altered));
    if (!session) {
      ASSERT_EQ(session.error(), SetupError::foreign_state);
    }
  }
}

// There is one way to write a session, and an SSRC has one history.
TEST(StateForm, SsrcsThatAreGoneAscend) {
  const auto failure_of = [](std::vector<std::uint32_t> retired,
                             std::vector<std::uint32_t> inbound) {
    StreamStates states{.profile = SrtpProfile::aead_aes_128_gcm, .retired = std::move(retired)};
    for (const auto ssrc : inbound) {
      states.inbound.push_back({.ssrc = ssrc, .rtp = IndexHistory(7)});
    }
    const auto parsed = SrtpState::parse(states.encode());
    return parsed ? std::string() : std::string(parsed.error().detail.view());
  };
  EXPECT_EQ(failure_of({1, 2}, {1, 2}), "");
  EXPECT_EQ(failure_of({2, 1}, {}), "SSRCs that are not in order");
  EXPECT_EQ(failure_of({1, 1}, {}), "SSRCs that are not in order");
  EXPECT_EQ(failure_of({}, {2, 1}), "SSRCs that are not in order");
  EXPECT_EQ(failure_of({}, {1, 1}), "SSRCs that are not in order");
}

TEST_P(StateTest, OfOtherKeysIsRefused) {
  auto other = test::make_srtp_keys(GetParam(), 1);
  const auto state = busy_state(GetParam());
  const auto session = Session::restore(std::move(other.server), copy_of(state));
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error(), SetupError::foreign_state);
  EXPECT_FALSE(restored(GetParam(), true, copy_of(state))) << "of the other end";
  for (const auto profile : test::kAllSrtpProfiles) {
    EXPECT_EQ(restored(profile, false, copy_of(state)).has_value(), profile == GetParam());
  }
}

TEST_P(StateTest, OfTooManySsrcsIsRefused) {
  const auto state = busy_state(GetParam());
  const auto session = restored(GetParam(), false, copy_of(state), {.max_ssrcs = 2});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error(), SetupError::state_too_large);
  EXPECT_TRUE(restored(GetParam(), false, copy_of(state), {.max_ssrcs = 5}));
}

TEST_P(StateTest, TheBoundOfSsrcsHoldsAcrossMoves) {
  const SessionOptions one{.max_ssrcs = 1};
  peers_ = make_peers(GetParam(), one);
  for (std::uint32_t ssrc = 0; ssrc < 5; ++ssrc) {
    const auto sent = protect_rtp(peers_.client, rtp(ssrc, 1));
    ASSERT_TRUE(unprotect_rtp(peers_.server, sent));
    move(false, one);
    move(true, one);
    EXPECT_EQ(unprotect_rtp(peers_.server, sent), kUnexpected(PacketError::replayed));
    EXPECT_THAT(peers_.client.ssrcs(Direction::outbound), ElementsAre(ssrc));
    EXPECT_THAT(peers_.server.ssrcs(Direction::inbound), IsEmpty());
  }
}

}  // namespace
}  // namespace sluice::srtp
