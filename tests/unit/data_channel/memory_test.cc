// What a peer that is authenticated and hostile can make an association keep: it speaks SCTP with
// the right tag and checksum, in packets of its own making.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sluice/data_channel/association.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "chunks.h"
#include "init_chunk.h"
#include "sctp_socket.h"
#include "support/bytes.h"
#include "support/usrsctp_clock.h"

namespace sluice::data_channel {
namespace {

using namespace std::chrono_literals;
using test::from_hex;

constexpr std::size_t kInitTsnOffset = kCommonHeader + 16;  // section 3.3.2
// What one DTLS record carries.
constexpr std::size_t kLargestPacket = 16384;

// Of each flood: 4 MB at the most.
constexpr std::uint32_t kPackets = 250;
// What usrsctp keeps beside the data of a packet that is not yet in turn.
constexpr std::size_t kKeptOfPacket = 512;
// Flags of DATA (RFC 9260 section 3.3.1).
constexpr std::uint8_t kEnd = 1, kBegin = 2, kUnordered = 4;

// As glibc counts it. Sanitizers have their own allocator, of which it sees nothing.
std::size_t heap_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

class MemoryTest : public testing::Test {
 protected:
  static constexpr Options kOptions{
      .max_message_size = 65536, .max_channels = 16, .send_buffer = 65536, .receive_buffer = 65536};

  MemoryTest() {
    test::set_usrsctp_time(now_);
    EXPECT_TRUE(peer_.connect());
    const auto init = test::copy_of(peer_.packets().pop().value());
    tsn_ = load_u32(init, kInitTsnOffset);
    peer_.packets().push(init);
    for (int round = 0; round < 4; ++round) {
      while (const auto packet = peer_.packets().pop()) {
        header_.assign(packet->begin(), packet->begin() + kCommonHeader);
        association_.handle_packet(*packet, now_);
      }
      while (association_.poll_event()) continue;
      while (const auto packet = association_.poll_transmit()) peer_.receive(*packet);
      while (peer_.read()) continue;
    }
    EXPECT_TRUE(association_.established());
    before_ = heap_in_use();
  }

  void send(ChunkType type, std::uint8_t flags, Bytes value) {
    Buffer packet = header_;
    append_u8(packet, static_cast<std::uint8_t>(type));
    append_u8(packet, flags);
    append_u16(packet, static_cast<std::uint16_t>(kChunkHeader + value.size()));
    append(packet, value);
    packet.resize(padded(packet.size()));
    set_checksum(packet);
    association_.handle_packet(packet, now_);
  }
  // `number`: of the peer's TSNs; each stream gets every kOptions.max_channels-th.
  void send_data(std::uint32_t number, std::uint8_t flags, PayloadProtocol protocol,
                 Bytes payload) {
    Buffer value;
    append_u32(value, tsn_ + number);
    append_u16(value, static_cast<std::uint16_t>(number % kOptions.max_channels));
    append_u16(value, static_cast<std::uint16_t>(number / kOptions.max_channels));
    append_u32(value, static_cast<std::uint32_t>(protocol));
    append(value, payload);
    send(ChunkType::data, flags, value);
  }
  // `reads`: events are polled.
  template <class Send>
  void flood(const Send& send_one, bool reads = true) {
    for (std::uint32_t i = 0; i < kPackets; ++i) {
      send_one(i);
      if (i % 50 == 0) {
        now_ += 10ms;
        test::set_usrsctp_time(now_);
        association_.handle_timeout(now_);
      }
      while (reads && association_.poll_event()) continue;
      while (association_.poll_transmit()) continue;
      measure();
    }
  }
  void measure() { highest_ = std::max(highest_, heap_in_use()); }
  [[nodiscard]] std::size_t grown() const { return highest_ > before_ ? highest_ - before_ : 0; }

  dtls::Instant now_{};
  Association association_ = Association::make(kOptions, now_).value();
  SctpSocket peer_{{}, now_};
  Buffer header_;          // of the peer's packets, with the tag
  std::uint32_t tsn_ = 0;  // the peer's first
  std::size_t before_ = 0;
  std::size_t highest_ = 0;
};

// How the TSNs of a flood follow one another.
enum class Order : std::uint8_t {
  rising,           // as they are expected
  with_gaps,        // every second one
  first_missing,    // all but the one that is expected
  falling,          // each fills the gap before the one that came before
  below_a_far_one,  // rising, in the gap before one that came first
};

struct Flood {
  std::string name;
  std::uint8_t flags;
  Order order;
  std::size_t size;
};

std::ostream& operator<<(std::ostream& out, const Flood& flood) { return out << flood.name; }

class FloodTest : public MemoryTest, public testing::WithParamInterface<Flood> {
 protected:
  [[nodiscard]] std::uint32_t number(std::uint32_t i) const {
    switch (GetParam().order) {
      case Order::with_gaps:
        return 2 * i;
      case Order::first_missing:
        return i + 1;
      case Order::falling:
        return kPackets - i;
      case Order::rising:
      case Order::below_a_far_one:
        return i;
    }
    return i;
  }
};

// Data that can't be handed out: fragments of messages that are never complete, and messages behind
// one that never comes.
TEST_P(FloodTest, IsBounded) {
  const Buffer payload(GetParam().size);
  const auto send_one = [&](std::uint32_t at, std::size_t size) {
    // The message that each stream begins with never comes.
    send_data(at + kOptions.max_channels, GetParam().flags, PayloadProtocol::binary,
              Bytes{payload}.first(size));
  };
  tsn_ -= kOptions.max_channels;
  if (GetParam().order == Order::falling || GetParam().order == Order::below_a_far_one) {
    send_one(kPackets + 1, 1);
  }
  flood([&](std::uint32_t i) { send_one(number(i), payload.size()); });
  // As <sluice/data_channel/association.h> says.
  EXPECT_LT(grown(), 2 * kOptions.receive_buffer + kOptions.max_message_size +
                         kOptions.max_channels * kLargestPacket + kPackets * kKeptOfPacket);
}

std::vector<Flood> floods() {
  const std::pair<std::string, std::uint8_t> kinds[] = {
      {"Messages", kBegin | kEnd},
      {"Beginnings", kBegin},
      {"Middles", 0},
      {"Ends", kEnd},
      {"UnorderedBeginnings", kBegin | kUnordered},
      {"UnorderedMiddles", kUnordered},
      {"UnorderedEnds", kEnd | kUnordered}};
  const std::pair<std::string, Order> orders[] = {{"Rising", Order::rising},
                                                  {"WithGaps", Order::with_gaps},
                                                  {"FirstMissing", Order::first_missing},
                                                  {"Falling", Order::falling},
                                                  {"BelowAFarOne", Order::below_a_far_one}};
  std::vector<Flood> all;
  for (const auto& [kind, flags] : kinds) {
    for (const auto& [order_name, order] : orders) {
      all.push_back({kind + order_name, flags, order, kLargestPacket - 100});
      all.push_back({kind + order_name + "Small", flags, order, 1});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(, FloodTest, testing::ValuesIn(floods()),
                         [](const auto& flood) { return flood.param.name; });

TEST_F(MemoryTest, NobodyReads) {
  const Buffer payload(kLargestPacket - 100);
  flood([&](std::uint32_t i) { send_data(i, kBegin | kEnd, PayloadProtocol::binary, payload); },
        false);
  EXPECT_LT(grown(), 2 * kOptions.receive_buffer);
}

TEST_F(MemoryTest, ChannelOnEachStream) {
  Buffer open(12 + 2 * kMaxChannelName);
  open[0] = std::byte{3};             // DATA_CHANNEL_OPEN
  open[8] = open[10] = std::byte{4};  // the lengths of both names
  flood([&](std::uint32_t i) { send_data(i, kBegin | kEnd, PayloadProtocol::dcep, open); });
  EXPECT_EQ(association_.statistics().channels_opened, kOptions.max_channels);
  EXPECT_LT(grown(), 2 * kOptions.receive_buffer + kOptions.max_channels * 4096U);
}

struct Question {
  std::string name;
  ChunkType type;
  std::size_t size;
};

std::ostream& operator<<(std::ostream& out, const Question& question) {
  return out << question.name;
}

class AnswerTest : public MemoryTest, public testing::WithParamInterface<Question> {};

// The answers repeat what was sent, and nobody polls them.
TEST_P(AnswerTest, IsBounded) {
  const auto& [name, type, size] = GetParam();
  Buffer value;
  if (type == ChunkType::init) {
    std::ranges::fill(std::span{header_}.subspan(4, 4), std::byte{0});  // no tag
    value = from_hex("00 00 00 07 00 01 00 00 00 07 00 07 00 00 00 07");
  }
  // A parameter: the information of a HEARTBEAT, or one of an INIT that is unknown and reported.
  append_u16(value, type == ChunkType::init ? 0xc00f : 1);
  append_u16(value, static_cast<std::uint16_t>(size));
  value.resize(value.size() + size - 4);
  for (std::size_t i = 0; i < PacketQueue::kMaxPackets + 10; ++i) send(type, 0, value);
  measure();
  EXPECT_LT(grown(), PacketQueue::kMaxPackets * (kOptions.mtu + 64) + kLargestPacket);
  std::size_t packets = 0;
  while (const auto packet = association_.poll_transmit()) {
    ++packets;
    ASSERT_LE(packet->size(), kOptions.mtu);
  }
  EXPECT_LE(packets, PacketQueue::kMaxPackets);
}

std::vector<Question> questions() {
  const std::pair<std::string, ChunkType> types[] = {
      {"Heartbeat", ChunkType::heartbeat},    {"Init", ChunkType::init},
      {"CookieEcho", ChunkType::cookie_echo}, {"Reconfig", ChunkType::reconfig},
      {"Unknown", ChunkType{0xfe}},           {"UnknownLast", ChunkType{0x40}}};
  std::vector<Question> all;
  for (const auto& [name, type] : types) {
    for (const std::size_t size : {100U, 1100U, 16000U}) {
      all.push_back({name + std::to_string(size), type, size});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(, AnswerTest, testing::ValuesIn(questions()),
                         [](const auto& question) { return question.param.name; });

}  // namespace
}  // namespace sluice::data_channel
