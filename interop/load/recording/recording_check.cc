#include "load/recording/recording_check.h"

#include <algorithm>
#include <utility>

namespace sluice::interop::load {
namespace {

constexpr std::uint64_t kRound = 65536;  // of sequence numbers

}  // namespace

std::uint64_t RecordingCheck::continued(rtp::SequenceNumber number) const {
  if (!numbers_) return kRound + rtp::number(number);
  const auto step = static_cast<std::int16_t>(
      static_cast<std::uint16_t>(rtp::number(number) - static_cast<std::uint16_t>(newest_)));
  return newest_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(step));
}

RecordingCheck::Place RecordingCheck::place_of(const Anchor& anchor, std::uint64_t number) const {
  const auto count = static_cast<std::int64_t>(recording_->payloads().size());
  const std::int64_t packet =
      static_cast<std::int64_t>(anchor.packet) + static_cast<std::int64_t>(number - anchor.number);
  const std::int64_t within = (packet % count + count) % count;
  const std::int64_t rounds = (packet - within) / count;
  const auto index = static_cast<std::size_t>(within);
  return {.packet = index,
          .time = rounds * static_cast<std::int64_t>(recording_->duration()) +
                  static_cast<std::int64_t>(recording_->frame_of(index).time)};
}

bool RecordingCheck::fits(const Anchor& anchor, std::uint64_t number, rtp::Bytes payload) const {
  return std::ranges::equal(recording_->payloads()[place_of(anchor, number).packet], payload);
}

RecordingCheck::Anchor* RecordingCheck::anchor_for(const rtp::Packet& packet,
                                                   std::uint64_t number) {
  for (auto* anchor : {&anchor_, &former_}) {
    if (*anchor && fits(**anchor, number, packet.payload)) return &**anchor;
  }
  const auto places = recording_->find(packet.payload);
  if (places.empty()) return nullptr;
  // A publisher goes on with another frame of the file where it was asked for a key frame, and at
  // its start.
  const bool is_jump = number > newest_ && recording_->frame_of(places.front()).is_key_frame;
  if (anchor_ && anchor_->is_certain && !is_jump) ++counts_.sequence_breaks;
  former_ = std::exchange(anchor_, Anchor{.number = number,
                                          .packet = places.front(),
                                          .timestamp = rtp::number(packet.timestamp),
                                          .is_certain = places.size() == 1});
  return &*anchor_;
}

void RecordingCheck::check_timestamp(Anchor& anchor, const rtp::Packet& packet,
                                     std::uint64_t number) {
  const auto passed = place_of(anchor, number).time - place_of(anchor, anchor.number).time;
  const auto wanted = anchor.timestamp + static_cast<std::uint32_t>(passed);
  const std::uint32_t difference = rtp::number(packet.timestamp) - wanted;
  if (difference == 0) return;
  ++counts_.timestamp_breaks;
  anchor.timestamp += difference;
}

void RecordingCheck::on_packet(const rtp::Packet& packet, dtls::Instant now) {
  if (packet.payload.empty()) return;  // padding alone
  ++counts_.packets;
  counts_.bytes += packet.payload.size();
  if (const auto before = std::exchange(last_at_, now)) {
    counts_.longest_gap = std::max(counts_.longest_gap, now - *before);
  }
  const std::uint64_t number = continued(packet.sequence_number);
  Anchor* const anchor = anchor_for(packet, number);
  if (anchor == nullptr) {
    ++counts_.corrupt;
    return;
  }
  if (!numbers_) numbers_.emplace(number);
  newest_ = std::max(newest_, number);
  const Coming coming = numbers_->add(number);
  if (coming == Coming::duplicate) {
    ++counts_.duplicates;
    return;
  }
  check_timestamp(*anchor, packet, number);
  if (coming != Coming::next) ++counts_.reordered;
  if (coming == Coming::too_late) return;
  ++counts_.unique;
  const std::size_t place = place_of(*anchor, number).packet;
  const RecordedFrame& frame = recording_->frame_of(place);
  if (recording_->kind() == SectionKind::video && frame.is_key_frame && frame.packet == place) {
    ++counts_.key_frames;
  }
}

ReceivedCounts RecordingCheck::counts(const SentPackets& /*sent*/) const {
  ReceivedCounts counts = counts_;
  if (numbers_) counts.lost += numbers_->lost();
  return counts;
}

}  // namespace sluice::interop::load
