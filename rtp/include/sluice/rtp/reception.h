// Reception statistics of one source, for report blocks (RFC 3550 appendices A.1, A.3 and A.8).
#pragma once

#include <cstdint>
#include <optional>

#include <sluice/rtp/clock.h>
#include <sluice/rtp/numbers.h>
#include <sluice/rtp/rtcp.h>

namespace sluice::rtp {

// What a packet's sequence number says about it (RFC 3550 appendix A.1).
enum class Arrival : std::uint8_t {
  in_order,   // ahead of all before it
  late,       // reordered or a duplicate, up to 100 behind the newest
  probation,  // of a source that has not yet sent enough packets in sequence
  jump,       // neither close ahead nor close behind: not counted. A second one in sequence with
              // it restarts the statistics
};

struct ReceptionOptions {
  std::uint32_t clock_rate = 90000;  // Hz, 1 or more
  // How many packets must come in sequence before the source counts. Appendix A.1 says 2, against
  // packets of other protocols; where SRTP has authenticated the packet, its first one counts.
  std::uint32_t min_sequential = 1;  // 1 or more
};

// What the statistics of a source go on from in another process, so that its sender sees no break
// in the report blocks. Any values are safe.
struct ReceptionState {
  std::uint32_t base = 0;  // extended number of the first packet
  std::uint32_t highest = 0;
  std::uint32_t in_sequence = 0;
  std::optional<SequenceNumber> expected_next = {};
  std::uint64_t received = 0;
  std::uint32_t expected_before = 0;  // at the last report block
  std::uint64_t received_before = 0;
  std::uint64_t jitter = 0;  // in units of the clock rate, times 16
  // The last sender report and how long ago it came.
  std::optional<CompactNtp> report = {};
  Duration since_report{};
};

// Not thread-safe. No allocation.
class Reception {
 public:
  explicit Reception(const ReceptionOptions& options) : options_(options) {}
  // Goes on from state(), which was taken of a Reception with the same options. The first packet
  // does not count for the jitter: the clock may be another one.
  Reception(const ReceptionOptions& options, const ReceptionState& state, Instant now);

  Arrival on_packet(SequenceNumber sequence_number, Timestamp timestamp, Instant now);
  void on_sender_report(const SenderReport& report, Instant now) {
    on_sender_report(middle(report.ntp_time), now);
  }
  void on_sender_report(CompactNtp ntp_time, Instant now) {
    report_ = Report{.ntp_time = ntp_time, .arrival = now};
  }

  // A report block about `ssrc`, the source. It ends the interval of the fraction lost.
  ReportBlock report_block(Ssrc ssrc, Instant now);

  [[nodiscard]] ReceptionState state(Instant now) const;

  // Whether packets of the source have been counted.
  [[nodiscard]] bool started() const { return received_ > 0; }
  [[nodiscard]] std::uint64_t received() const { return received_; }  // late ones included
  [[nodiscard]] std::uint32_t highest_sequence_number() const { return highest_; }  // extended
  // Packets that should have come minus those that have; below 0 after duplicates.
  [[nodiscard]] std::int64_t lost() const;
  [[nodiscard]] Duration jitter() const;

 private:
  struct Report {
    CompactNtp ntp_time;
    Instant arrival;
  };

  [[nodiscard]] std::uint32_t expected() const { return started() ? highest_ - base_ + 1 : 0; }
  Arrival classify(SequenceNumber sequence_number);
  void restart(SequenceNumber sequence_number);
  void update_jitter(Timestamp timestamp, Instant now);

  ReceptionOptions options_;
  std::uint32_t base_ = 0;                            // extended number of the first packet
  std::uint32_t highest_ = 0;                         // extended number
  std::uint32_t in_sequence_ = 0;                     // packets of the probation
  std::optional<SequenceNumber> expected_next_ = {};  // in probation and after a jump
  std::uint64_t received_ = 0;
  std::uint32_t expected_before_ = 0;  // at the last report block
  std::uint64_t received_before_ = 0;
  std::optional<std::uint32_t> transit_ = {};  // of the last packet, in units of the clock rate
  std::uint64_t jitter_ = 0;                   // times 16
  std::optional<Report> report_ = {};
};

}  // namespace sluice::rtp
