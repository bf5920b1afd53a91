// A call that moves: one end is exported, destroyed, and restored as another transport.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "call.h"

namespace sluice::transport {
namespace {

using testing::UnorderedElementsAreArray;

struct Case {
  dtls::ProtocolVersion version;
  dtls::SrtpProfile profile;
};

// What an end has sent, by what its keys are used with: SSRC and index. The index of RTP is as the
// test counts it, that of RTCP as the packet has it.
class Nonces {
 public:
  void add(bool is_rtcp, std::uint32_t ssrc, std::uint64_t index, const Packet& sealed) {
    const auto [entry, is_new] = used_.try_emplace({is_rtcp, ssrc, index}, sealed);
    EXPECT_TRUE(is_new || entry->second == sealed) << "index " << index << " of " << ssrc;
  }

 private:
  std::map<std::tuple<bool, std::uint32_t, std::uint64_t>, Packet> used_;
};

class Move : public testing::TestWithParam<Case> {
 protected:
  Move() {
    options_ = call_options(GetParam().version);
    for (auto* dtls : {&options_.client_dtls, &options_.server_dtls}) {
      dtls->srtp_profiles = {GetParam().profile};
    }
    options_.identity = test::must(dtls::Identity::self_signed(test::environment()));
    call_.emplace(options_);
    call_->network = [this](Flight& flight) {
      recorded_.push_back(flight);
      return true;
    };
    call_->connect();
  }

  [[nodiscard]] MediaTransportOptions transport_options(bool is_client) const {
    MediaTransportOptions options;
    auto dtls = is_client ? options_.client_dtls : options_.server_dtls;
    dtls.identities = {*options_.identity};
    options.dtls = test::make_config(std::move(dtls));
    return options;
  }

  void move(bool is_client) {
    auto& end = is_client ? call_->client : call_->server;
    ASSERT_FALSE(end.transport.export_blocked());
    const auto info = end.transport.info();
    const auto path = end.transport.path();
    // As if it had been kept in a store meanwhile.
    Packet stored;
    {
      const auto state = test::must(std::move(end.transport).export_session());
      EXPECT_TRUE(end.transport.ended());
      stored.assign(state.bytes().begin(), state.bytes().end());
    }
    end.transport =
        test::must(MediaTransport::restore(transport_options(is_client), test::environment(),
                                           test::must(TransportState::parse(stored)), call_->now));
    EXPECT_TRUE(end.transport.connected());
    EXPECT_EQ(end.transport.path(), path);
    EXPECT_EQ(end.transport.info()->srtp_profile, info->srtp_profile);
    EXPECT_EQ(end.transport.waiting_for(), TransportWaitingFor::nothing);
  }

  [[nodiscard]] std::uint64_t srtcp_index(const Packet& sealed) const {
    const bool is_gcm = GetParam().profile == dtls::SrtpProfile::aead_aes_128_gcm ||
                        GetParam().profile == dtls::SrtpProfile::aead_aes_256_gcm;
    std::uint64_t index = 0;
    for (const auto byte : std::span(sealed).last(is_gcm ? 4 : 14).first(4)) {
      index = index << 8 | std::to_integer<std::uint64_t>(byte);
    }
    return index & 0x7fff'ffff;
  }

  // A round of RTP of two SSRCs, RTCP and data, each unlike all others, from both ends.
  void talk() {
    for (auto* from : {&call_->client, &call_->server}) {
      const bool is_client = from == &call_->client;
      const std::uint32_t first = is_client ? 10 : 20;
      // The first SSRC begins near the end of the sequence numbers.
      const std::pair<std::uint32_t, std::uint64_t> packets[] = {{first, 65530 + round_},
                                                                 {first + 1, 700 + round_}};
      for (const auto& [ssrc, index] : packets) {
        send(*from, false, ssrc, index,
             make_rtp({.ssrc = ssrc, .sequence = static_cast<std::uint16_t>(index & 0xffff)}));
      }
      auto report = make_rtcp(first);
      report.back() = static_cast<std::byte>(round_ & 0xff);
      send(*from, true, first, 0, report);
      const Packet data(20, static_cast<std::byte>(round_ & 0xff));
      ASSERT_TRUE(call_->send_data(*from, data));
      (is_client ? sent_by_client_ : sent_by_server_).data.push_back(data);
    }
    ++round_;
  }

  void send(End& from, bool is_rtcp, std::uint32_t ssrc, std::uint64_t index, const Packet& plain) {
    const bool is_client = &from == &call_->client;
    auto sealed = is_rtcp ? protect_rtcp(from, plain) : protect_rtp(from, plain);
    ASSERT_FALSE(sealed.empty());
    nonces_[is_client].add(is_rtcp, ssrc, is_rtcp ? srtcp_index(sealed) : index, sealed);
    auto& sent = is_client ? sent_by_client_ : sent_by_server_;
    (is_rtcp ? sent.rtcp : sent.rtp).push_back(plain);
    call_->send(from, std::move(sealed), *from.transport.path());
  }

  void replay_all() {
    const auto all = recorded_;
    for (const auto& flight : all) {
      call_->inject(flight.to_server ? call_->server : call_->client, flight.bytes, flight.path);
    }
  }

  struct Sent {
    std::vector<Packet> rtp;
    std::vector<Packet> rtcp;
    std::vector<Packet> data;
  };
  static void expect_received(const End& end, const Sent& sent) {
    EXPECT_THAT(end.rtp, UnorderedElementsAreArray(sent.rtp));
    EXPECT_THAT(end.rtcp, UnorderedElementsAreArray(sent.rtcp));
    EXPECT_THAT(end.data, UnorderedElementsAreArray(sent.data));
    EXPECT_FALSE(end.error);
    EXPECT_FALSE(end.closed);
  }

  CallOptions options_;
  std::optional<Call> call_;
  std::vector<Flight> recorded_;
  unsigned round_ = 0;
  Sent sent_by_client_;
  Sent sent_by_server_;
  std::map<bool, Nonces> nonces_;
};

TEST_P(Move, TheCallGoesOnBothWays) {
  for (int moves = 0; moves < 4; ++moves) {
    for (int i = 0; i < 5; ++i) talk();
    call_->run_for(100ms);
    move(moves % 2 == 0);
    replay_all();
    for (int i = 0; i < 5; ++i) talk();
    call_->run_for(100ms);
    replay_all();
    if (moves == 2) move(true);
  }
  expect_received(call_->server, sent_by_client_);
  expect_received(call_->client, sent_by_server_);
}

// What was under way arrives at the new transport.
TEST_P(Move, PacketsUnderWayAreNotLost) {
  for (int moves = 0; moves < 6; ++moves) {
    talk();
    talk();
    call_->run_for(1ms);
    move(moves % 2 == 0);
    talk();
  }
  call_->run_for(100ms);
  replay_all();
  expect_received(call_->server, sent_by_client_);
  expect_received(call_->client, sent_by_server_);
}

// The restored transport follows ICE as before: another path, a restart, the end.
TEST_P(Move, ItIsATransportLikeOthers) {
  talk();
  call_->run_for(100ms);
  move(true);
  move(false);
  call_->select_both(kPathB);
  EXPECT_EQ(call_->client.transport.path(), kPathB);
  talk();
  call_->run_for(100ms);
  call_->restart_both();
  EXPECT_EQ(call_->client.transport.export_blocked(), ExportBlocked::restart_under_way);
  call_->select_both(PathId{3});
  call_->run_for(20s);
  EXPECT_EQ(call_->client.connected.size(), 2U);
  move(true);
  move(false);
  ASSERT_TRUE(call_->send_rtp(call_->client, make_rtp({.ssrc = 99})));
  sent_by_client_.rtp.push_back(make_rtp({.ssrc = 99}));
  call_->run_for(100ms);
  expect_received(call_->server, sent_by_client_);
  call_->settle(call_->client, call_->client.transport.close(call_->now));
  call_->run_for(100ms);
  EXPECT_TRUE(call_->server.closed);
}

TEST_P(Move, WithoutMediaSoFar) {
  move(true);
  move(false);
  talk();
  call_->run_for(100ms);
  expect_received(call_->server, sent_by_client_);
  expect_received(call_->client, sent_by_server_);
}

// The ICE agent that goes on with the call has other numbers for its paths.
TEST_P(Move, PathsMayHaveOtherNumbers) {
  talk();
  call_->run_for(100ms);
  const auto path = *call_->client.transport.path();
  const auto state = test::must(std::move(call_->client.transport).export_session());
  const auto restored = [&](std::vector<PathNumber> numbers) {
    return test::must(MediaTransport::restore(transport_options(true), test::environment(),
                                              test::must(state.with_paths(numbers)), call_->now));
  };
  auto renumbered = restored({{.before = PathId{99}, .now = path}, {path, PathId{70}}});
  EXPECT_EQ(renumbered.path(), PathId{70});
  EXPECT_EQ(restored({{path, path}}).path(), path);

  auto without = restored({});
  EXPECT_EQ(without.path(), std::nullopt);
  static_cast<void>(test::must(without.path_selected(PathId{5}, std::nullopt, call_->now)));
  EXPECT_EQ(without.path(), PathId{5});

  for (const auto& other : {PathNumber{path, PathId{2}}, PathNumber{PathId{98}, PathId{70}}}) {
    const PathNumber twice[] = {{path, PathId{70}}, other};
    const auto refused = state.with_paths(twice);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, dtls::Errc::invalid_argument);
  }
}

TEST_P(Move, BadStatesAreRefused) {
  talk();
  call_->run_for(100ms);
  const auto state = test::must(std::move(call_->client.transport).export_session());
  for (std::size_t size = 0; size < state.bytes().size(); ++size) {
    const auto parsed = TransportState::parse(state.bytes().first(size));
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error().code, dtls::Errc::decode_error);
  }
  auto one_ssrc = transport_options(true);
  one_ssrc.srtp.max_ssrcs = 1;
  const auto restored = MediaTransport::restore(
      one_ssrc, test::environment(), test::must(TransportState::parse(state.bytes())), call_->now);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, dtls::Errc::session_refused);
}

TEST_P(Move, BlockedUntilItIsConnected) {
  Call call(options_);
  EXPECT_EQ(call.client.transport.export_blocked(), ExportBlocked::not_connected);
  const auto state = std::move(call.client.transport).export_session();
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, dtls::Errc::export_blocked);
  call.connect();
  EXPECT_EQ(call.client.transport.export_blocked(), std::nullopt);
}

TEST_P(Move, ATagThatIsTooLongChangesNothing) {
  const Packet tag(dtls::kMaxSessionTag + 1);
  const auto state = std::move(call_->client.transport).export_session({.tag = tag});
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, dtls::Errc::invalid_argument);
  talk();
  call_->run_for(100ms);
  expect_received(call_->server, sent_by_client_);
}

INSTANTIATE_TEST_SUITE_P(All, Move, testing::ValuesIn([] {
                           std::vector<Case> cases;
                           for (const auto version :
                                {dtls::ProtocolVersion::dtls12, dtls::ProtocolVersion::dtls13}) {
                             for (const auto profile : test::kAllSrtpProfiles)
                               cases.push_back({version, profile});
                           }
                           return cases;
                         }()),
                         [](const auto& instance) {
                           const bool is12 =
                               instance.param.version == dtls::ProtocolVersion::dtls12;
                           return std::string(is12 ? "dtls12_" : "dtls13_") +
                                  std::to_string(static_cast<unsigned>(instance.param.profile));
                         });

}  // namespace
}  // namespace sluice::transport
