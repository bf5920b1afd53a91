// Transport-wide congestion control feedback
// (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <vector>

#include <sluice/rtp/bytes.h>
#include <sluice/rtp/clock.h>
#include <sluice/rtp/error.h>
#include <sluice/rtp/numbers.h>
#include <sluice/rtp/walk.h>

namespace sluice::rtp {

// When a packet arrived, in units of 250 us after the received packet before it, or after the
// feedback's reference time. Empty: it has not arrived.
struct PacketStatus {
  std::optional<std::int16_t> delta;

  friend bool operator==(const PacketStatus&, const PacketStatus&) = default;
};
inline constexpr Duration kDeltaUnit{250};

// One status for each packet from TransportFeedback::base on.
class PacketStatuses {
 public:
  class Cursor {
   public:
    std::optional<PacketStatus> next();

   private:
    friend class PacketStatuses;
    std::span<const PacketStatus> statuses_;
    Bytes chunks_;  // that follow, if the statuses are encoded
    Bytes deltas_;
    std::size_t left_ = 0;     // statuses
    std::uint16_t chunk_ = 0;  // the present one
    std::size_t symbols_ = 0;  // that are left in it
  };

  PacketStatuses() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): it is that list.
  PacketStatuses(std::span<const PacketStatus> statuses)
      : statuses_(statuses), count_(statuses.size()) {}
  // `count` statuses: their chunks and deltas, which up to three bytes may follow. Errors:
  // bad_count, bad_length, bad_value (a reserved symbol). It takes time by the bytes, not by
  // `count`.
  static Result<PacketStatuses> read(Bytes bytes, std::size_t count);

  // Without the padding. Precondition: up to 65,535 statuses.
  [[nodiscard]] std::size_t encoded_size() const;
  // Precondition: out.size() is encoded_size().
  void write(MutableBytes out) const;

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] Walk<Cursor> begin() const;
  [[nodiscard]] static std::default_sentinel_t end() { return {}; }

  friend bool operator==(const PacketStatuses& a, const PacketStatuses& b) {
    return equal_items(a, b);
  }

 private:
  std::span<const PacketStatus> statuses_;
  Bytes chunks_;
  Bytes deltas_;
  std::size_t count_ = 0;
};

struct TransportFeedback {
  Ssrc sender{};
  Ssrc media{};
  SequenceNumber base{};            // transport-wide number of the first packet
  std::int32_t reference_time = 0;  // in units of 64 ms; 24 bits with a sign, wraps around
  std::uint8_t number = 0;          // of this feedback; wraps around
  PacketStatuses statuses = {};     // 1 to 65,535

  friend bool operator==(const TransportFeedback&, const TransportFeedback&) = default;
};
inline constexpr Duration kReferenceUnit = std::chrono::milliseconds{64};

// Remembers when the packets of a transport arrived, and makes the feedback about them. Memory is
// allocated once: 20 bytes for each packet of `capacity`. Not thread-safe.
class ArrivalRecorder {
 public:
  // `capacity`: how many packets are remembered, 1 to 32,767; numbers that are missing count, too.
  // Later packets displace the oldest.
  explicit ArrivalRecorder(std::size_t capacity);

  // A packet with a transport-wide sequence number has arrived. One that comes after feedback has
  // reported it as missing is reported again, with those after it. False: a duplicate, or a packet
  // that is older than all that are remembered; nothing has changed.
  bool on_packet(SequenceNumber sequence_number, Instant now);

  // The next feedback about up to `max_packets`, 1 or more. Empty: nothing has arrived since the
  // last one. Poll until empty: one feedback spans at most 8 s between two packets. It points into
  // this object and is valid until the next call.
  std::optional<TransportFeedback> poll_feedback(Ssrc sender, Ssrc media, std::size_t max_packets);

  // Received packets that were displaced before feedback reported them.
  [[nodiscard]] std::uint64_t displaced() const { return displaced_; }

 private:
  struct Slot {
    Instant arrival;
    bool received = false;
  };
  // Numbers that do not wrap around.
  using Number = std::int64_t;

  Slot& slot(Number packet) { return slots_[static_cast<std::size_t>(packet) % slots_.size()]; }
  // Makes `last` the newest number.
  void extend_to(Number last);
  // The first received packet from next_ on, which there is.
  Instant first_arrival();

  std::vector<Slot> slots_;
  std::vector<PacketStatus> statuses_;  // of the feedback that was polled last
  // oldest_ <= next_ <= end_: what is remembered, what is to be reported next, the end of both. The
  // packet before end_ has been received. All are 0 before the first packet.
  Number oldest_ = 0;
  Number next_ = 0;
  Number end_ = 0;
  std::uint8_t feedback_number_ = 0;
  std::uint64_t displaced_ = 0;
};

}  // namespace sluice::rtp
