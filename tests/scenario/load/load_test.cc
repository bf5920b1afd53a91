// What the clients of sluice-load see of a media server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <initializer_list>
#include <vector>

#include <sluice/rtp/packet.h>
#include <sluice/srtp/session.h>

#include "scenario/load/load_world.h"

namespace sluice::interop::load {
namespace {

using namespace std::chrono_literals;

constexpr SourceOptions kAudioSource{.kind = SectionKind::audio, .bitrate = 32'000, .frames = 50};

bool is_rtp(dtls::Bytes datagram) {
  return transport::classify(datagram) == transport::PacketClass::rtp && !srtp::is_rtcp(datagram);
}

class LoadScenario : public testing::Test {
 protected:
  // The publishers stop, and the last packets arrive.
  void stop(std::initializer_list<Publisher*> publishers) {
    for (Publisher* each : publishers) each->stop();
    world_.run_for(100ms);
  }
  ReceivedCounts counts(const Viewer& viewer) { return viewer.counts(world_.sent()); }
  static void expect_faultless(const ReceivedCounts& counts) {
    EXPECT_EQ(counts.lost, 0U);
    EXPECT_EQ(counts.corrupt, 0U);
    EXPECT_EQ(counts.duplicates, 0U);
    EXPECT_EQ(counts.reordered, 0U);
    EXPECT_EQ(counts.sequence_breaks, 0U);
    EXPECT_EQ(counts.timestamp_breaks, 0U);
  }

  LoadWorld world_;
};

TEST_F(LoadScenario, EachViewerGetsEachPacket) {
  Publisher& publisher = world_.publish();
  std::vector<Viewer*> viewers;
  for (int i = 0; i < 3; ++i) viewers.push_back(&world_.watch());
  const auto before = viewers[0]->traffic();
  world_.run_for(10s);
  const auto after = viewers[0]->traffic();
  const auto bits = 8.0 * static_cast<double>(after.bytes - before.bytes);
  EXPECT_NEAR(bits, 15e6, 0.05e6) << "1.5 Mbit/s";
  stop({&publisher});
  for (const Viewer* viewer : viewers) {
    const auto seen = counts(*viewer);
    expect_faultless(seen);
    EXPECT_GT(seen.unique, 1500U);
    EXPECT_EQ(viewer->unexpected(), 0U);
    EXPECT_GE(seen.key_frames, 5U) << "one in two seconds";
    EXPECT_EQ(seen.source_changes, 0U);
    EXPECT_LE(seen.longest_gap, 40ms);
  }
}

TEST_F(LoadScenario, AViewerAsksForAKeyFrame) {
  const Publisher& publisher = world_.publish({{.key_frame_interval = 1h}});
  world_.run_for(1s);
  EXPECT_EQ(publisher.sources()[0]->key_frames(), 1U);
  const Viewer& viewer = world_.watch();
  world_.run_for(1s);
  EXPECT_EQ(publisher.key_frames_asked(), 1U);
  EXPECT_EQ(publisher.sources()[0]->key_frames(), 2U);
  EXPECT_EQ(counts(viewer).key_frames, 1U);
}

TEST_F(LoadScenario, SeveralPublishersWithSound) {
  Publisher& one = world_.publish({kAudioSource, {}});
  Publisher& other = world_.publish({kAudioSource, {.bitrate = 300'000, .frames = 15}});
  const Viewer& viewer = world_.watch({.seats = 2, .has_audio = true});
  world_.run_for(5s);
  stop({&one, &other});
  expect_faultless(counts(viewer));
  EXPECT_EQ(viewer.streams(), 4U);
}

// Both clocks are one, so the delay is that of the network, but for the steps of the test.
TEST_F(LoadScenario, TheDelayIsMeasured) {
  world_.delay = 30ms;
  world_.publish();
  const Viewer& viewer = world_.watch();
  world_.run_for(2s);
  const auto delays = counts(viewer).delays;
  EXPECT_GT(delays.total(), 300U);
  EXPECT_GE(delays.percentile(0.01), 30ms);
  EXPECT_LE(delays.most(), 40ms);
}

TEST_F(LoadScenario, ALossIsSeen) {
  Publisher& publisher = world_.publish();
  const Viewer& one = world_.watch();
  const Viewer& other = world_.watch();
  std::size_t packets = 0;
  std::size_t lost = 0;
  world_.loses = [&](const Client& client, dtls::Bytes bytes) {
    const bool is_lost = &client == &one && is_rtp(bytes) && ++packets % 10 == 0;
    lost += is_lost ? 1U : 0U;
    return is_lost;
  };
  world_.run_for(5s);
  // The last ones, too.
  world_.loses = [&](const Client& client, dtls::Bytes bytes) {
    const bool is_lost = &client == &one && is_rtp(bytes);
    lost += is_lost ? 1U : 0U;
    return is_lost;
  };
  world_.run_for(200ms);
  stop({&publisher});
  EXPECT_GT(lost, 100U);
  EXPECT_EQ(counts(one).lost, lost);
  EXPECT_EQ(counts(one).corrupt, 0U);
  EXPECT_GT(one.counts().unique, 500U);
  expect_faultless(counts(other));
}

// No server can send what has not reached it.
TEST_F(LoadScenario, TheServerReportsWhatDoesNotReachIt) {
  Publisher& publisher = world_.publish();
  const Viewer& viewer = world_.watch();
  world_.run_for(1s);
  std::size_t lost = 0;
  world_.loses_to_server = [&](const Client& client, dtls::Bytes bytes) {
    const bool is_lost = &client == &publisher && is_rtp(bytes) && lost < 25;
    lost += is_lost ? 1U : 0U;
    return is_lost;
  };
  world_.run_for(5s);
  stop({&publisher});
  EXPECT_EQ(publisher.lost_on_the_way(), 25U);
  EXPECT_EQ(counts(viewer).lost, 25U);
  EXPECT_EQ(counts(viewer).sequence_breaks, 0U);
}

TEST_F(LoadScenario, LostPacketsAreAskedForAgain) {
  Publisher& publisher = world_.publish();
  const Viewer& viewer = world_.watch({.has_nack = true});
  std::size_t packets = 0;
  world_.loses = [&](const Client& client, dtls::Bytes bytes) {
    return &client == &viewer && is_rtp(bytes) && ++packets % 20 == 0;
  };
  world_.run_for(5s);
  world_.loses = {};
  world_.run_for(1s);
  stop({&publisher});
  EXPECT_GT(world_.world.counters().repeated, 30U);
  const auto seen = counts(viewer);
  EXPECT_EQ(seen.lost, 0U);
  EXPECT_GT(seen.reordered, 30U);
  EXPECT_EQ(seen.duplicates, 0U);
  EXPECT_EQ(seen.sequence_breaks, 0U);
}

// A server can change a packet without any trace in SRTP. Here it is the publisher that does.
TEST_F(LoadScenario, AChangedPayloadIsSeen) {
  Publisher& publisher = world_.publish();
  const Viewer& viewer = world_.watch();
  world_.run_for(1s);
  stop({&publisher});
  // Its sequence numbers go on where those of the publisher have ended.
  const MediaSource& before = *publisher.sources()[0];
  const SourceId id{
      static_cast<std::uint32_t>(static_cast<std::uint32_t>(before.id()) + before.packets())};
  PacketSource source({}, {.ssrc = before.ssrc(), .payload_type = rtp::PayloadType{96}, .id = id},
                      world_.world.now);
  std::array<std::byte, PacketSource::kMaxPacket> packet{};
  for (int i = 0; const auto size = source.write(packet, world_.world.now); ++i) {
    if (i == 2) packet.at(*size - 5) ^= std::byte{1};
    ASSERT_TRUE(publisher.session().send_rtp(rtp::Bytes(packet).first(*size)));
  }
  world_.run_for(100ms);
  const auto seen = viewer.counts({{source.id(), source.packets()}});
  EXPECT_EQ(seen.corrupt, 1U);
  EXPECT_EQ(seen.lost, 1U);
  EXPECT_EQ(seen.source_changes, 1U);
}

// Sequence numbers and timestamps go on, as a jitter buffer needs it; the stamps show the change.
TEST_F(LoadScenario, AnotherPublisherTakesTheSeat) {
  Publisher& first = world_.publish();
  const Viewer& viewer = world_.watch();
  world_.run_for(1s);
  stop({&first});
  ASSERT_TRUE(world_.world.sfu.remove(world_.id_of(first), world_.world.now));
  Publisher& second = world_.publish();
  world_.run_for(1s);
  stop({&second});
  const auto seen = counts(viewer);
  expect_faultless(seen);
  EXPECT_EQ(seen.source_changes, 1U);
  EXPECT_EQ(viewer.streams(), 1U);
  EXPECT_EQ(first.session().end(), MediaSession::kClosed);
}

TEST_F(LoadScenario, TheServerTellsItsEnd) {
  world_.publish();
  const Viewer& viewer = world_.watch();
  ASSERT_TRUE(world_.world.sfu.remove(world_.id_of(viewer), world_.world.now));
  world_.run_for(100ms);
  EXPECT_EQ(viewer.session().end(), MediaSession::kClosed);
  EXPECT_FALSE(viewer.next_timeout());
}

TEST_F(LoadScenario, AServerThatIsGoneIsNoticed) {
  world_.publish();
  const Viewer& viewer = world_.watch();
  world_.run_for(1s);
  world_.is_cut = true;
  world_.run_for(25s);
  EXPECT_EQ(viewer.session().end(), "");
  world_.run_for(15s);
  EXPECT_EQ(viewer.session().end(), "the server does not answer any more");
  EXPECT_FALSE(viewer.next_timeout());
}

// Its consent expires at the server (RFC 7675); others go on.
TEST_F(LoadScenario, AViewerVanishes) {
  Publisher& publisher = world_.publish();
  const Viewer& gone = world_.watch();
  const Viewer& stays = world_.watch();
  world_.run_for(1s);
  world_.remove(gone);
  world_.run_for(40s);
  stop({&publisher});
  EXPECT_EQ(world_.world.count(sfu::End::expired), 1U);
  expect_faultless(counts(stays));
}

}  // namespace
}  // namespace sluice::interop::load
