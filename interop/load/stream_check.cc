#include "load/stream_check.h"

#include <algorithm>
#include <utility>

namespace sluice::interop::load {
namespace {

std::uint16_t sequence_offset(const Stamp& stamp, const rtp::Packet& packet) {
  return static_cast<std::uint16_t>(rtp::number(packet.sequence_number) - stamp.number);
}

std::uint32_t timestamp_offset(const Stamp& stamp, const rtp::Packet& packet) {
  return rtp::number(packet.timestamp) - rtp::number(stamp.media_time);
}

}  // namespace

void ReceivedCounts::add(const ReceivedCounts& other) {
  packets += other.packets;
  bytes += other.bytes;
  unique += other.unique;
  lost += other.lost;
  duplicates += other.duplicates;
  reordered += other.reordered;
  corrupt += other.corrupt;
  sequence_breaks += other.sequence_breaks;
  timestamp_breaks += other.timestamp_breaks;
  source_changes += other.source_changes;
  key_frames += other.key_frames;
  longest_gap = std::max(longest_gap, other.longest_gap);
  delays.add(other.delays);
}

void StreamCheck::begin(const Stamp& stamp, const rtp::Packet& packet) {
  if (source_) {
    counts_.lost += source_->numbers.lost();
    ++counts_.source_changes;
  }
  source_ = Source{.id = stamp.source,
                   .numbers = NumberWindow(stamp.number),
                   .sequence_offset = sequence_offset(stamp, packet),
                   .timestamp_offset = timestamp_offset(stamp, packet)};
}

// The differences to the publisher's numbers stay as they are while a source goes on.
void StreamCheck::check_numbers(const Stamp& stamp, const rtp::Packet& packet) {
  const auto sequence = sequence_offset(stamp, packet);
  const auto timestamp = timestamp_offset(stamp, packet);
  if (sequence != source_->sequence_offset) ++counts_.sequence_breaks;
  if (timestamp != source_->timestamp_offset) ++counts_.timestamp_breaks;
  source_->sequence_offset = sequence;
  source_->timestamp_offset = timestamp;
}

void StreamCheck::on_packet(const rtp::Packet& packet, dtls::Instant now) {
  // Padding alone asks for bandwidth: no packet of a publisher.
  if (packet.payload.empty()) return;
  ++counts_.packets;
  counts_.bytes += packet.payload.size();
  if (const auto before = std::exchange(last_at_, now)) {
    counts_.longest_gap = std::max(counts_.longest_gap, now - *before);
  }
  const auto front = read_front(kind_, packet.payload);
  const auto stamp =
      front ? read_stamp(packet.payload.subspan(front->size)) : std::optional<Stamp>{};
  if (!stamp) {
    ++counts_.corrupt;
    return;
  }
  if (!source_ || source_->id != stamp->source) begin(*stamp, packet);
  const Coming coming = source_->numbers.add(stamp->number);
  if (coming == Coming::duplicate) {
    ++counts_.duplicates;
    return;
  }
  check_numbers(*stamp, packet);
  if (coming != Coming::next) ++counts_.reordered;
  if (coming == Coming::too_late) return;
  ++counts_.unique;
  if (front->is_key_frame) ++counts_.key_frames;
  counts_.delays.add(now - stamp->sent);
}

ReceivedCounts StreamCheck::counts(const SentPackets& sent) const {
  ReceivedCounts counts = counts_;
  if (!source_) return counts;
  const auto of_source = sent.find(source_->id);
  counts.lost += source_->numbers.lost_of(of_source == sent.end() ? 0 : of_source->second);
  return counts;
}

}  // namespace sluice::interop::load
