// Judges what a viewer receives on one SSRC.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include <sluice/dtls/clock.h>
#include <sluice/rtp/packet.h>

#include "load/delay_histogram.h"
#include "load/number_window.h"
#include "load/payload_front.h"
#include "load/stamp.h"

namespace sluice::interop::load {

struct ReceivedCounts {
  std::uint64_t packets = 0;  // all of them, of every kind below
  std::uint64_t bytes = 0;    // of payload
  std::uint64_t unique = 0;   // that are what a publisher has sent, each once
  std::uint64_t lost = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t reordered = 0;  // that came after a later one
  // Whose payload is none that a publisher of sluice-load has sent.
  std::uint64_t corrupt = 0;
  // The RTP sequence number, or the timestamp, went on in another way than that of the publisher: a
  // jitter buffer would see a gap or a repetition that is none.
  std::uint64_t sequence_breaks = 0;
  std::uint64_t timestamp_breaks = 0;
  std::uint64_t source_changes = 0;  // another publisher's stream took the place
  std::uint64_t key_frames = 0;
  dtls::Duration longest_gap{};  // between two packets
  DelayHistogram delays = {};    // from the publisher to here

  // The sums; of the longest gap the longer one.
  void add(const ReceivedCounts& other);
};

struct Traffic {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // of payload

  void add(const Traffic& other) {
    packets += other.packets;
    bytes += other.bytes;
  }
};

// How many packets each source has sent, by name.
using SentPackets = std::map<SourceId, std::uint64_t>;

class StreamCheck {
 public:
  explicit StreamCheck(SectionKind kind) : kind_(kind) {}

  void on_packet(const rtp::Packet& packet, dtls::Instant now);

  // As of now. With `sent`, what was sent after the last packet that has come counts as lost, too.
  [[nodiscard]] ReceivedCounts counts(const SentPackets& sent = {}) const;
  [[nodiscard]] Traffic traffic() const { return {counts_.packets, counts_.bytes}; }

 private:
  // The source of the packets, and how it was numbered when it began here.
  struct Source {
    SourceId id;
    NumberWindow numbers;
    std::uint16_t sequence_offset;
    std::uint32_t timestamp_offset;
  };
  void begin(const Stamp& stamp, const rtp::Packet& packet);
  void check_numbers(const Stamp& stamp, const rtp::Packet& packet);

  SectionKind kind_;
  ReceivedCounts counts_;
  std::optional<Source> source_ = {};
  std::optional<dtls::Instant> last_at_ = {};
};

}  // namespace sluice::interop::load
