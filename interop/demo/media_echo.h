// Sends a browser's RTP back to it, and translates the RTCP feedback about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/dtls/clock.h>

#include "demo/byte_order.h"
#include "demo/reception.h"
#include "demo/rtcp_feedback.h"
#include "demo/rtp_packet.h"

namespace sluice::interop::demo {

// The CNAME of the echo in RTCP and SDP.
inline constexpr std::string_view kCname = "sluice";

struct EchoStreamOptions {
  std::string mid;
  std::optional<std::uint8_t> mid_extension;
  std::uint8_t payload_type;
  std::uint32_t clock_rate;  // above 0
  std::uint32_t own_ssrc;    // of the echoed packets; differs between streams
  bool send = true;          // false: packets are received but not echoed
};

struct MediaEchoStatistics {
  std::uint64_t rtp_echoed = 0;
  std::uint64_t rtp_dropped = 0;         // of no stream, or of one that is not echoed
  std::uint64_t feedback_forwarded = 0;  // PLI, FIR, NACK
  std::uint64_t reports_sent = 0;
  std::optional<dtls::Duration> rtt;  // from the newest report block about the echo
};

// The media of one bundled call. To the browser the echo is a remote source with an SSRC of its
// own. Feedback about that source (a key frame request, a NACK) is sent back to the browser as
// feedback about its own source. Each sender report of the browser is answered by one under the
// other SSRC, so no timer is needed. Only the SSRC of a packet changes; sequence numbers and
// timestamps stay. No I/O. Not thread-safe.
class MediaEcho {
 public:
  explicit MediaEcho(std::vector<EchoStreamOptions> streams);

  // Changes the SSRC of the unprotected packet in place. False: it must not be sent, and was
  // counted as dropped.
  bool echo_rtp(MutableBytes packet, dtls::Instant now);
  // The unprotected compounds to send in answer to the unprotected compound `packet`, at most one
  // per stream.
  std::vector<Buffer> answer_rtcp(Bytes packet, dtls::Instant now);

  [[nodiscard]] const MediaEchoStatistics& statistics() const { return statistics_; }

 private:
  // What the last sender report to the browser said, and when it was sent. A report block about it
  // gives the RTT.
  struct SentReport {
    std::uint32_t middle_ntp;
    dtls::Instant at;
  };
  struct Stream {
    EchoStreamOptions options;
    Reception reception;
    std::optional<std::uint32_t> source = {};  // the browser's SSRC, from its first packet
    std::uint32_t packets = 0;                 // sent; wraps around (RFC 3550 section 6.4.1)
    std::uint32_t octets = 0;
    std::optional<SentReport> sent_report = {};
  };

  Stream* stream_of(const RtpHeader& header);
  Stream* stream_by_own_ssrc(std::uint32_t ssrc);
  Stream* stream_by_source(std::uint32_t ssrc);
  [[nodiscard]] std::size_t index_of(const Stream& stream) const;

  // Each appends the answer to the compound of the stream that the item is about.
  struct Answers;
  void answer(const SenderReport& report, Answers& answers, dtls::Instant now);
  void answer(const ReportBlock& block, Answers& answers, dtls::Instant now);
  template <class Feedback>  // PLI, FIR, NACK
  void answer(const Feedback& feedback, Answers& answers, dtls::Instant now);

  std::vector<Stream> streams_;
  MediaEchoStatistics statistics_;
};

}  // namespace sluice::interop::demo
