// Publishers that lie and viewers that want everything, at random: the server goes on, gives no
// number to two packets, and serves who comes then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenario/sfu/sfu_world.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t kMostPeers = 5;  // of a kind at a time
constexpr int kActions = 1500;

class SfuHostile : public testing::TestWithParam<unsigned> {
 protected:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool happens(unsigned percent) { return below(100) < percent; }
  template <class Values>
  auto one_of(const Values& values) {
    return values[below(std::size(values))];
  }

  void act() {
    const auto is_gone = [this](const Peer* peer) { return world_.sfu.find(peer->id) == nullptr; };
    std::erase_if(publishers_, is_gone);
    std::erase_if(viewers_, is_gone);
    switch (below(12)) {
      case 0:
        return come_or_go();
      case 1:
        return pass_time();
      case 2:
        return ask();
      case 3:
        return restart_ice();
      case 4:
      case 5:
        return send_feedback();
      default:
        return send_media();
    }
  }

  void come_or_go() {
    const bool publishes = happens(50);
    std::vector<Peer*>& peers = publishes ? publishers_ : viewers_;
    if (!peers.empty() && (peers.size() == kMostPeers || happens(40))) {
      Peer* const gone = one_of(peers);
      std::erase(peers, gone);
      world_.sfu.remove(gone->id, world_.now);
    } else if (publishes) {
      peers.push_back(&world_.publisher(happens(70) ? SfuWorld::simulcast_offer()
                                                    : SfuWorld::publisher_offer()));
    } else if (!publishers_.empty()) {
      peers.push_back(&world_.viewer(SfuWorld::viewer_offer(1 + below(3), happens(50))));
    }
  }

  void pass_time() {
    constexpr std::array<dtls::Duration, 4> kTimes = {10ms, 60ms, 300ms, 2500ms};
    world_.run_for(one_of(kTimes));
    check_numbers();
  }

  void ask() {
    if (viewers_.empty()) return;
    static constexpr std::array kRids = {"h", "m", "l", "x", ""};
    static constexpr std::array kMids = {"", "", "1", "3", "0", "9"};
    world_.sfu.ask_for_layer(one_of(viewers_)->id, one_of(kMids), one_of(kRids));
  }

  void restart_ice() {
    if (publishers_.empty() || happens(90)) return;
    const std::string name = "client" + std::to_string(below(3));
    static_cast<void>(world_.sfu.update_ice(
        one_of(publishers_)->id, {.ice = {.ufrag = name, .pwd = "the-password-of-the-" + name}},
        world_.now));
  }

  // Of few sources, whose layers, sections and payload types change from packet to packet.
  void send_media() {
    if (publishers_.empty()) return;
    static constexpr std::array kRids = {"h", "m", "l", "h", "m", "l", "", "", "x", "0123456789"};
    static constexpr std::array<std::string_view, 5> kPayloads = {"\x10\x50 key", "\x10\x51 delta",
                                                                  "\x10\x51 delta", "", "\x90"};
    static constexpr std::array<std::uint8_t, 6> kTypes = {0, 0, 0, 0, 97, 55};
    Peer& publisher = *one_of(publishers_);
    const auto ssrc = static_cast<std::uint32_t>(1 + below(6));
    std::uint16_t& number = numbers_[{&publisher, ssrc}];
    number = static_cast<std::uint16_t>(number + (happens(3)    ? below(20'000)
                                                  : happens(20) ? 2
                                                                : 1));
    MediaFields fields{.section = happens(80) ? kVideo : kAudio,
                       .number = number,
                       .timestamp = static_cast<std::uint32_t>(random_()),
                       .ssrc = ssrc,
                       .payload_type = one_of(kTypes),
                       .payload = one_of(kPayloads),
                       .rid = one_of(kRids)};
    if (happens(70)) {
      transport_ = static_cast<std::uint16_t>(transport_ + (happens(5) ? below(65'536) : 1));
      fields.transport_number = transport_;
    }
    world_.send(publisher, fields);
  }

  void send_feedback() {
    const bool is_viewers = happens(70);
    const std::vector<Peer*>& peers = is_viewers ? viewers_ : publishers_;
    if (peers.empty()) return;
    Peer& peer = *one_of(peers);
    if (happens(10)) {
      dtls::Buffer bytes(8 + 4 * below(30));
      for (auto& byte : bytes) byte = static_cast<std::byte>(random_());
      bytes[0] = std::byte{0x81};
      bytes[1] = static_cast<std::byte>(200 + below(8));
      return world_.send_rtcp(peer, rtp::Bytes(bytes));
    }
    world_.send_rtcp(peer, [&](rtp::CompoundWriter& writer) {
      is_viewers ? write_viewers(writer, peer.ssrc(happens(80) ? kVideo : kAudio))
                 : static_cast<void>(writer.add(rtp::SenderReport{
                       .sender = rtp::Ssrc{static_cast<std::uint32_t>(1 + below(6))},
                       .ntp_time = rtp::NtpTime{random_()},
                       .rtp_timestamp = rtp::Timestamp{static_cast<std::uint32_t>(random_())}}));
    });
  }

  void write_viewers(rtp::CompoundWriter& writer, const rtp::Ssrc media) {
    static constexpr std::array<std::uint64_t, 5> kEstimates = {
        0, 1, 40'000, 3'000'000, std::numeric_limits<std::uint64_t>::max()};
    const rtp::NackEntry entry{.lost = rtp::SequenceNumber{static_cast<std::uint16_t>(random_())},
                               .following = static_cast<std::uint16_t>(random_())};
    const rtp::ReportBlock block{
        .ssrc = media,
        .fraction_lost = static_cast<std::uint8_t>(random_()),
        .packets_lost = -0x800000,
        .last_sender_report = rtp::CompactNtp{static_cast<std::uint32_t>(random_())},
        .delay_since_last = rtp::CompactNtp{static_cast<std::uint32_t>(random_())}};
    static_cast<void>(
        writer.add(rtp::ReceiverReport{.sender = rtp::Ssrc{1}, .blocks = std::span(&block, 1)}));
    static_cast<void>(writer.add(rtp::MaximumBitrate{.sender = rtp::Ssrc{1},
                                                     .bits_per_second = one_of(kEstimates),
                                                     .media = std::span(&media, 1)}));
    static_cast<void>(writer.add(
        rtp::GenericNack{.sender = rtp::Ssrc{1}, .media = media, .entries = std::span(&entry, 1)}));
    static_cast<void>(
        writer.add(rtp::PictureLossIndication{.sender = rtp::Ssrc{1}, .media = media}));
  }

  // A number that comes again has the same packet.
  void check_numbers() {
    for (Peer* viewer : viewers_) {
      std::map<std::pair<std::uint32_t, std::uint16_t>, const test::Packet*> seen;
      for (const auto& bytes : viewer->client->rtp) {
        const auto packet = rtp::read_packet(bytes);
        ASSERT_TRUE(packet);
        const auto [known, is_new] = seen.try_emplace(
            {rtp::number(packet->ssrc), rtp::number(packet->sequence_number)}, &bytes);
        EXPECT_TRUE(is_new || *known->second == bytes);
      }
      viewer->client->rtp.clear();
    }
  }

  SfuWorld world_;
  std::mt19937_64 random_{GetParam()};
  std::vector<Peer*> publishers_;
  std::vector<Peer*> viewers_;
  std::map<std::pair<Peer*, std::uint32_t>, std::uint16_t> numbers_;
  std::uint16_t transport_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Seeds, SfuHostile, testing::Range(1U, 5U));

TEST_P(SfuHostile, TheServerGoesOn) {
  for (int i = 0; i < kActions; ++i) act();
  pass_time();
  const auto& refused = world_.counters().forwarded.refused;
  EXPECT_THAT(refused, testing::Each(0U)) << "by SRTP";
  EXPECT_GT(world_.counters().forwarded.packets, 100U);

  for (Peer* peer : publishers_) world_.sfu.remove(peer->id, world_.now);
  for (Peer* peer : viewers_) world_.sfu.remove(peer->id, world_.now);
  world_.run_for(6s);
  EXPECT_THAT(world_.sfu.sessions(), IsEmpty());
  EXPECT_THAT(world_.sfu.rooms(), IsEmpty());
  Peer& publisher = world_.publisher();
  const Peer& viewer = world_.viewer();
  world_.send(publisher, {.number = 1});
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(1));
}

}  // namespace
}  // namespace sluice::interop::sfu
