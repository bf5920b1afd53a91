// The connected transport: bad input, bounds, statistics, the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "call.h"

namespace sluice::transport {
namespace {

using srtp::PacketError;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Steady : public testing::Test {
 protected:
  void SetUp() override { call_.connect(); }
  [[nodiscard]] const MediaTransportStatistics& server_statistics() const {
    return call_.server.transport.statistics();
  }

  Call call_;
};

TEST_F(Steady, ForgedAndDamagedPacketsAreCountedAndHarmless) {
  auto damaged = protect_rtp(call_.client, make_rtp({.sequence = 1}));
  damaged.back() ^= std::byte{1};
  call_.inject(call_.server, damaged, kPathA);
  call_.inject(call_.server, make_rtp({.sequence = 2}), kPathA);
  call_.inject(call_.server, make_rtcp(), kPathA);
  call_.inject(call_.server, Packet(5, std::byte{0x80}), kPathA);
  EXPECT_EQ(server_statistics().count(PacketError::authentication_failed), 3U);
  EXPECT_EQ(server_statistics().count(PacketError::malformed), 1U);
  EXPECT_THAT(call_.server.rtp, IsEmpty());
  EXPECT_TRUE(call_.send_rtp(call_.client, make_rtp({.sequence = 3})));
  call_.run_for(100ms);
  EXPECT_THAT(call_.server.rtp, SizeIs(1));
}

TEST_F(Steady, ReplaysAreRefused) {
  const auto packet = protect_rtp(call_.client, make_rtp());
  call_.inject(call_.server, packet, kPathA);
  call_.inject(call_.server, packet, kPathA);
  EXPECT_THAT(call_.server.rtp, ElementsAre(make_rtp()));
  EXPECT_EQ(server_statistics().count(PacketError::replayed), 1U);
}

TEST_F(Steady, ThePeersRepeatedHandshakeDoesNoHarm) {
  std::vector<Packet> first_flight;
  Call other;
  other.network = [&](Flight& flight) { return first_flight.push_back(flight.bytes), true; };
  other.connect();
  for (auto& datagram : first_flight) call_.inject(call_.server, datagram, kPathA);
  EXPECT_FALSE(call_.server.error);
  EXPECT_TRUE(call_.send_rtp(call_.client, make_rtp()));
  call_.run_for(100ms);
  EXPECT_THAT(call_.server.rtp, SizeIs(1));
}

TEST_F(Steady, TheRollOverCounterIsFollowed) {
  for (const std::uint16_t sequence :
       std::initializer_list<std::uint16_t>{65533, 65534, 65535, 0, 1}) {
    EXPECT_TRUE(call_.send_rtp(call_.client, make_rtp({.sequence = sequence})));
  }
  call_.run_for(100ms);
  EXPECT_THAT(call_.server.rtp, SizeIs(5));
}

TEST_F(Steady, OtherProtocolsAreCountedAndLeftAlone) {
  for (unsigned first = 0; first < 256; ++first) {
    call_.inject(call_.server, Packet(30, static_cast<std::byte>(first)), kPathA);
  }
  call_.inject(call_.server, {}, kPathA);
  const auto& statistics = server_statistics();
  EXPECT_EQ(statistics.count(PacketClass::stun), 4U);
  EXPECT_EQ(statistics.count(PacketClass::zrtp), 4U);
  EXPECT_EQ(statistics.count(PacketClass::turn_channel), 16U);
  EXPECT_EQ(statistics.count(PacketClass::quic), 48U + 64U);
  EXPECT_EQ(statistics.count(PacketClass::unknown), 12U + 1U);
  EXPECT_EQ(statistics.count(PacketClass::rtp), 64U);
  EXPECT_GE(statistics.count(PacketClass::dtls), 44U);
  EXPECT_EQ(statistics.count(Drop::foreign_protocol), 4U + 4U + 16U + 112U + 13U);
  EXPECT_FALSE(call_.server.error);
  EXPECT_TRUE(call_.server.transport.connected());
}

TEST_F(Steady, RandomDatagramsEndNothing) {
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    Packet junk(random() % 200);
    for (auto& byte : junk) byte = static_cast<std::byte>(random() & 0xff);
    call_.inject(call_.server, junk, i % 2 ? kPathA : kPathB);
  }
  EXPECT_FALSE(call_.server.error);
  EXPECT_THAT(call_.server.rtp, IsEmpty());
  EXPECT_THAT(call_.server.data, IsEmpty());
  EXPECT_TRUE(call_.send_rtp(call_.client, make_rtp()));
  EXPECT_TRUE(call_.send_data(call_.client, kData));
  call_.run_for(100ms);
  EXPECT_THAT(call_.server.rtp, SizeIs(1));
  EXPECT_THAT(call_.server.data, SizeIs(1));
}

TEST_F(Steady, ManyDatagramsOfDataKeepTheirBorders) {
  std::vector<Packet> sent;
  for (std::size_t size = 0; size < 1200; size += 100) {
    sent.emplace_back(size, static_cast<std::byte>(size & 0xff));
    EXPECT_TRUE(call_.send_data(call_.server, sent.back()));
  }
  call_.run_for(100ms);
  EXPECT_EQ(call_.client.data, sent);
}

TEST_F(Steady, CloseReachesThePeerAndEndsBoth) {
  call_.settle(call_.client, call_.client.transport.close(call_.now));
  call_.run_for(100ms);
  EXPECT_TRUE(call_.server.closed);
  EXPECT_FALSE(call_.client.closed) << "who closes knows";
  for (auto* end : {&call_.client, &call_.server}) {
    EXPECT_FALSE(end->error);
    EXPECT_FALSE(end->transport.connected());
    EXPECT_EQ(end->transport.next_timeout(), std::nullopt);
    EXPECT_FALSE(call_.send_rtp(*end, make_rtp()));
    EXPECT_FALSE(call_.send_data(*end, kData));
    EXPECT_EQ(end->transport.info(), std::nullopt);
    const auto before = end->transport.statistics().count(Drop::ended);
    call_.inject(*end, make_rtp(), kPathA);
    EXPECT_EQ(end->transport.statistics().count(Drop::ended), before + 1);
    EXPECT_FALSE(end->error) << "an orderly end is no Error";
    const auto late = end->transport.start(dtls::Role::client, call_.now);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, dtls::Errc::closed);
  }
  const auto restart = call_.client.transport.restart(dtls::Role::client, {}, call_.now);
  ASSERT_FALSE(restart);
  EXPECT_EQ(restart.error().code, dtls::Errc::closed);
  EXPECT_TRUE(call_.client.transport.close(call_.now)) << "twice does no harm";
}

TEST_F(Steady, DataThatCameWithCloseNotifyIsDelivered) {
  Packet record(kData.size() + dtls::kSealOverhead);
  record.resize(call_.client.transport.seal_data(kData, record).value());
  Packet together = record;
  call_.network = [&](Flight& flight) {
    together.insert(together.end(), flight.bytes.begin(), flight.bytes.end());
    return false;
  };
  call_.settle(call_.client, call_.client.transport.close(call_.now));
  ASSERT_GT(together.size(), record.size());
  call_.inject(call_.server, together, kPathA);
  EXPECT_THAT(call_.server.data, ElementsAre(kData));
  EXPECT_TRUE(call_.server.closed);
}

TEST_F(Steady, OutputsOfAnEarlierInputAreNotHandedOutLate) {
  auto data = Packet(kData.size() + dtls::kSealOverhead);
  data.resize(call_.client.transport.seal_data(kData, data).value());
  auto media = protect_rtp(call_.client, make_rtp());
  auto& transport = call_.server.transport;
  ASSERT_TRUE(transport.handle_datagram(data, kPathA, call_.now)->data);
  const auto pending = transport.handle_datagram(media, kPathA, call_.now);
  EXPECT_TRUE(pending->media);
  EXPECT_FALSE(pending->data);
  EXPECT_EQ(transport.poll_data(), std::nullopt) << "its span points into a datagram that is gone";
  EXPECT_TRUE(transport.handle_timeout(call_.now));
  EXPECT_FALSE(transport.poll_media().has_value());
}

TEST_F(Steady, SurvivesMoving) {
  auto moved = std::move(call_.server.transport);
  call_.server.transport = std::move(moved);
  EXPECT_TRUE(call_.send_rtp(call_.client, make_rtp()));
  call_.run_for(100ms);
  EXPECT_THAT(call_.server.rtp, SizeIs(1));
}

TEST(SteadySsrcs, AboveTheLimitTheOldestMakesRoomAndItIsTold) {
  CallOptions options;
  options.server.srtp.max_ssrcs = 2;
  Call call(options);
  call.connect();
  for (std::uint32_t ssrc = 1; ssrc <= 4; ++ssrc) {
    EXPECT_THAT(call.server.ssrc_limits, SizeIs(ssrc <= 3 ? 0 : 1));
    EXPECT_TRUE(call.send_rtp(call.client, make_rtp({.ssrc = ssrc})));
    call.run_for(100ms);
  }
  EXPECT_THAT(call.server.rtp, SizeIs(4));
  EXPECT_THAT(call.server.ssrc_limits, ElementsAre(srtp::Direction::inbound));
  EXPECT_TRUE(call.send_rtp(call.client, make_rtp({.ssrc = 1, .sequence = 1001})));
  call.run_for(100ms);
  EXPECT_THAT(call.server.rtp, SizeIs(5)) << "it may come back";
  auto* session = call.server.transport.srtp_session();
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->statistics().inbound.ssrcs_displaced, 3U);

  for (std::uint32_t ssrc = 1; ssrc <= 3; ++ssrc) {
    EXPECT_TRUE(call.send_rtcp(call.server, make_rtcp(ssrc)));
  }
  EXPECT_FALSE(call.send_rtcp(call.server, make_rtcp(1)));
  EXPECT_EQ(call.server.transport.statistics()
                .media_send_refused[static_cast<std::size_t>(PacketError::ssrc_retired)],
            1U);
  call.run_for(100ms);
  EXPECT_TRUE(call.send_rtp(call.client, make_rtp({.ssrc = 1, .sequence = 1002})));
  call.run_for(100ms);
  EXPECT_THAT(call.server.ssrc_limits,
              ElementsAre(srtp::Direction::inbound, srtp::Direction::outbound));
  EXPECT_FALSE(call.server.closed);
}

TEST_F(Steady, APacketIsSentAgainIfItIsTheSame) {
  const auto packet = make_rtp({.payload = 50});
  bool lose = true;
  call_.network = [&](Flight&) { return !lose; };
  EXPECT_TRUE(call_.send_rtp(call_.client, packet));
  lose = false;
  EXPECT_TRUE(call_.send_rtp(call_.client, make_rtp({.sequence = 1001})));
  EXPECT_TRUE(call_.send_rtp(call_.client, packet));
  call_.run_for(100ms);
  EXPECT_THAT(call_.server.rtp, ElementsAre(make_rtp({.sequence = 1001}), packet));
  EXPECT_TRUE(protect_rtp(call_.client, make_rtp({.payload = 51})).empty());
  EXPECT_EQ(call_.client.transport.statistics()
                .media_send_refused[static_cast<std::size_t>(PacketError::index_reused)],
            1U);
}

TEST_F(Steady, SrtpContextsAreMadeWhenMediaComes) {
  EXPECT_EQ(call_.server.transport.srtp_session(), nullptr);
  EXPECT_TRUE(call_.send_data(call_.client, kData));
  call_.run_for(100ms);
  EXPECT_EQ(call_.server.transport.srtp_session(), nullptr) << "a data-only call pays for none";
  EXPECT_TRUE(call_.send_rtp(call_.client, make_rtp()));
  call_.run_for(100ms);
  EXPECT_NE(call_.server.transport.srtp_session(), nullptr);
}

TEST(Options, OutOfRangeNameTheField) {
  const auto dtls = test::make_config();
  dtls::ConfigOptions asking = test::options();
  asking.ask_for_psk = true;
  const auto with_psk = test::make_config(asking);
  asking = test::options();
  asking.ask_for_identity = true;
  const auto with_questions = test::make_config(asking);
  dtls::ConfigOptions long_mki = test::options();
  long_mki.srtp_mki.assign(srtp::kMaxMki + 1, std::byte{7});
  const auto with_long_mki = test::make_config(long_mki);
  long_mki = test::options();
  long_mki.max_srtp_mki = srtp::kMaxMki + 1;
  const auto takes_long_mki = test::make_config(long_mki);
  asking = test::options();
  asking.peer_authentication = dtls::PeerAuthentication::request;
  const auto without_certificate = test::make_config(asking);
  const std::pair<MediaTransportOptions, std::string_view> wrong[] = {
      {{}, "dtls"},
      {{.dtls = with_psk}, "dtls"},
      {{.dtls = with_questions}, "dtls"},
      {{.dtls = with_long_mki}, "dtls"},
      {{.dtls = takes_long_mki}, "dtls"},
      {{.dtls = without_certificate}, "dtls"},
      {{.dtls = dtls, .srtp = {.max_ssrcs = 0}}, "srtp"},
      {{.dtls = dtls, .max_early_packets = 1025}, "max_early_packets"},
      {{.dtls = dtls, .max_early_packet_size = 65536}, "max_early_packet_size"},
      {{.dtls = dtls, .max_paths = 0}, "max_paths"},
      {{.dtls = dtls, .max_paths = 1025}, "max_paths"},
      {{.dtls = dtls, .old_keys_linger = -1us}, "old_keys_linger"},
      {{.dtls = dtls, .old_keys_hold = -1us}, "old_keys_hold"}};
  for (const auto& [options, field] : wrong) {
    const auto made = MediaTransport::make(options, test::environment());
    ASSERT_FALSE(made) << field;
    EXPECT_EQ(made.error().code, dtls::Errc::invalid_config);
    EXPECT_THAT(std::string(made.error().detail), testing::StartsWith(std::string(field) + ":"));
  }
}

}  // namespace
}  // namespace sluice::transport
