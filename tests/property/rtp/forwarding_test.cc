// A stream that is forwarded: several sources, one after the other, over links that lose, reorder
// and repeat packets. Whatever they do, the receiver sees one stream.
#include <gtest/gtest.h>
#include <sluice/rtp/forwarded_stream.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <vector>

#include "support/bytes.h"

namespace sluice::rtp {
namespace {

using dtls::Buffer;

constexpr int kPackets = 20'000;
constexpr std::size_t kRepeatWindow = 256;
constexpr PayloadType kForwarded{96};
constexpr PayloadType kKeptBack{97};

struct Sender {
  Ssrc ssrc{};
  std::uint16_t number = 0;
  std::uint32_t timestamp = 0;
};

class Forwarding : public testing::TestWithParam<int> {
 protected:
  Forwarding() {
    for (std::uint32_t i = 0; i < 3; ++i) {
      senders_.push_back({.ssrc = Ssrc{i + 1},
                          .number = static_cast<std::uint16_t>(random_()),
                          .timestamp = static_cast<std::uint32_t>(random_())});
    }
    ForwardOptions options{.ssrc = Ssrc{99},
                           .mid = TextElement{.id = ExtensionId{1}, .text = "0"},
                           .transport_sequence_number = ExtensionId{2},
                           .repeat_window = kRepeatWindow};
    options.payload_types[number(kForwarded)] = PayloadType{100};
    stream_ = ForwardedStream::make(options);
  }

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool happens(unsigned percent) { return below(100) < percent; }

  // The next packet of a sender, of some bytes that tell it from others.
  Buffer next_packet(Sender& sender) {
    if (happens(30)) sender.timestamp += 3000;
    Buffer payload(1 + below(40));
    for (auto& byte : payload) byte = static_cast<std::byte>(random_());
    Buffer packet(200);
    const auto size = write_packet({.payload_type = happens(5) ? kKeptBack : kForwarded,
                                    .sequence_number = SequenceNumber{sender.number++},
                                    .timestamp = Timestamp{sender.timestamp},
                                    .ssrc = sender.ssrc,
                                    .payload = payload},
                                   packet);
    packet.resize(size.value());
    return packet;
  }

  void arrive(const Buffer& bytes) {
    const auto packet = *read_packet(bytes);
    now_ += Duration{static_cast<std::int64_t>(below(3000))};
    if (happens(5)) return stream_->skip(packet);
    const Departure departure{.time = now_, .next_transport_number = transport_number_};
    const auto size = stream_->write(packet, departure, out_);
    if (size) check_written(bytes, packet, std::span(out_).first(*size));
  }

  void check_written(const Buffer& source, const Packet& packet, Bytes written) {
    const auto read = read_packet(written);
    ASSERT_TRUE(read);
    EXPECT_TRUE(std::ranges::equal(read->payload, packet.payload));
    const int ahead =
        written_.empty()
            ? 1
            : distance(SequenceNumber{static_cast<std::uint16_t>(highest_)}, read->sequence_number);
    const std::int64_t place = written_.empty() ? number(read->sequence_number) : highest_ + ahead;
    const auto [at, is_new] =
        written_.try_emplace(place, Written{packet.ssrc, packet.sequence_number, read->timestamp,
                                            source, Buffer(written.begin(), written.end())});
    EXPECT_TRUE(is_new) << "two packets have the number " << place;
    if (at != written_.begin()) check_order(std::prev(at)->second, at->second);
    if (std::next(at) != written_.end()) check_order(at->second, std::next(at)->second);
    if (place > highest_ && highest_ >= 0 && packet.ssrc != newest_) {
      EXPECT_EQ(place, highest_ + 1) << "a gap where another source takes over";
    }
    if (place > highest_) newest_ = packet.ssrc;
    highest_ = std::max(highest_, place);
  }

  struct Written {
    Ssrc source;
    SequenceNumber number;
    Timestamp timestamp;
    Buffer packet;
    Buffer bytes;
  };
  static void check_order(const Written& before, const Written& after) {
    if (before.source == after.source) {
      EXPECT_GT(distance(before.number, after.number), 0);
    } else {
      EXPECT_GT(static_cast<std::int32_t>(number(after.timestamp) - number(before.timestamp)), 0);
    }
  }

  void check_repetitions() {
    const auto oldest = highest_ - static_cast<std::int64_t>(kRepeatWindow);
    for (auto at = written_.upper_bound(oldest); at != written_.end(); ++at) {
      const SequenceNumber asked{static_cast<std::uint16_t>(at->first)};
      const auto origin = stream_->origin_of(asked);
      ASSERT_TRUE(origin);
      EXPECT_EQ(origin->source, at->second.source);
      EXPECT_EQ(origin->number, at->second.number);
      const auto size = stream_->write_again(asked, *read_packet(at->second.packet), out_);
      ASSERT_TRUE(size);
      EXPECT_TRUE(std::ranges::equal(std::span(out_).first(*size), at->second.bytes));
    }
  }

  std::mt19937_64 random_{static_cast<std::uint64_t>(GetParam())};
  std::vector<Sender> senders_;
  WriteResult<ForwardedStream> stream_ = tl::unexpected(WriteError::out_of_range);
  Instant now_{std::chrono::hours{1}};
  SequenceNumber transport_number_{};
  std::array<std::byte, 512> out_{};
  std::map<std::int64_t, Written> written_;
  std::int64_t highest_ = -1;
  Ssrc newest_{};
};

TEST_P(Forwarding, IsOneStreamToTheReceiver) {
  std::vector<Buffer> under_way;
  std::size_t sender = 0;
  for (int i = 0; i < kPackets; ++i) {
    // Another layer, or another sender.
    if (below(500) == 0) sender = below(senders_.size());
    under_way.push_back(next_packet(senders_[sender]));
    if (happens(3)) under_way.pop_back();
    // Up to ten packets overtake each other.
    while (under_way.size() > below(10)) {
      const auto chosen = happens(80) ? 0 : below(under_way.size());
      const auto at = under_way.begin() + static_cast<std::ptrdiff_t>(chosen);
      arrive(*at);
      if (!happens(2)) under_way.erase(at);
      ASSERT_FALSE(HasFailure()) << "seed " << GetParam() << ", packet " << i;
    }
    if (below(1000) == 0) check_repetitions();
  }
  EXPECT_GT(written_.size(), kPackets / 2U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Forwarding, testing::Range(1, 9));

}  // namespace
}  // namespace sluice::rtp
