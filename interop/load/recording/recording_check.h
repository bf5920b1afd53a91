// Judges what a viewer receives of a recording on one SSRC.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <sluice/dtls/clock.h>
#include <sluice/rtp/packet.h>

#include "load/recording/recording.h"
#include "load/stream_check.h"

namespace sluice::interop::load {

// The payloads have no stamps, but they are known: each must be the one of the file that follows by
// the sequence number. So order and losses are seen by the sequence numbers alone; a server that
// renumbers over a loss shows as a break. When a packet was sent, and by which of several
// publishers of one file, nothing says: there are no delays, and a loss at the end is not seen.
class RecordingCheck {
 public:
  explicit RecordingCheck(std::shared_ptr<const Recording> recording)
      : recording_(std::move(recording)) {}

  void on_packet(const rtp::Packet& packet, dtls::Instant now);

  [[nodiscard]] ReceivedCounts counts(const SentPackets& sent = {}) const;
  [[nodiscard]] Traffic traffic() const { return {counts_.packets, counts_.bytes}; }

 private:
  // Where the stream and the file have met.
  struct Anchor {
    std::uint64_t number;  // the RTP sequence number, continued
    std::size_t packet;    // of the file
    std::uint32_t timestamp;
    bool is_certain;  // the file has its payload once
  };
  // A packet of the file, and its time after the beginning of the anchor's round, in ticks.
  struct Place {
    std::size_t packet;
    std::int64_t time;
  };

  [[nodiscard]] std::uint64_t continued(rtp::SequenceNumber number) const;
  // Of the packet with this number, where the file goes on as from the anchor.
  [[nodiscard]] Place place_of(const Anchor& anchor, std::uint64_t number) const;
  [[nodiscard]] bool fits(const Anchor& anchor, std::uint64_t number, rtp::Bytes payload) const;
  // The anchor that it follows from; null: it can't be of this file.
  Anchor* anchor_for(const rtp::Packet& packet, std::uint64_t number);
  void check_timestamp(Anchor& anchor, const rtp::Packet& packet, std::uint64_t number);

  std::shared_ptr<const Recording> recording_;
  ReceivedCounts counts_;
  std::optional<NumberWindow> numbers_ = {};  // since the first packet
  std::uint64_t newest_ = 0;
  // The second one is for packets that are late.
  std::optional<Anchor> anchor_ = {};
  std::optional<Anchor> former_ = {};
  std::optional<dtls::Instant> last_at_ = {};
};

}  // namespace sluice::interop::load
