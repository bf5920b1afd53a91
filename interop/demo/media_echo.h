// Sends a browser's RTP back to it, and makes RTCP work across the turn.
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

// The name of the demo's one RTP source in RTCP and SDP.
inline constexpr std::string_view kCname = "sluice";

struct EchoStreamOptions {
  std::string mid;
  std::optional<std::uint8_t> mid_extension;
  std::uint8_t payload_type;
  std::uint32_t clock_rate;  // above 0
  std::uint32_t own_ssrc;    // of the packets that go back; differs between streams
  bool send = true;          // false: the section is not to be echoed, only received
};

struct MediaEchoStatistics {
  std::uint64_t rtp_echoed = 0;
  std::uint64_t rtp_dropped = 0;         // of no stream, or not to be echoed
  std::uint64_t feedback_forwarded = 0;  // PLI, FIR, NACK
  std::uint64_t reports_sent = 0;
  std::optional<dtls::Duration> rtt;  // from the newest report block about us
};

// One bundled call. The browser sees a remote source of its own, so what it asks of that one (a key
// frame, a packet again) is asked of its own source, and its sender reports come back under the
// other SSRC: no timer is needed, each report answers one. The two differ in SSRC alone: numbers
// and timestamps stay. Not thread-safe; no I/O.
class MediaEcho {
 public:
  explicit MediaEcho(std::vector<EchoStreamOptions> streams);

  // Rewrites the plain packet in place. False: it is not to be sent, and counted.
  bool echo_rtp(MutableBytes packet, dtls::Instant now);
  // The plain compounds to be sent in answer to the plain compound `packet`, at most one a stream.
  std::vector<Buffer> answer_rtcp(Bytes packet, dtls::Instant now);

  [[nodiscard]] const MediaEchoStatistics& statistics() const { return statistics_; }

 private:
  // What our sender report said and when it left: a report block about it gives the RTT.
  struct SentReport {
    std::uint32_t middle_ntp;
    dtls::Instant at;
  };
  struct Stream {
    EchoStreamOptions options;
    Reception reception;
    std::optional<std::uint32_t> source = {};  // the browser's SSRC: the first that comes
    std::uint32_t packets = 0;                 // sent; wrap as RFC 3550 section 6.4.1 lets them
    std::uint32_t octets = 0;
    std::optional<SentReport> sent_report = {};
  };

  Stream* stream_of(const RtpHeader& header);
  Stream* stream_by_own_ssrc(std::uint32_t ssrc);
  Stream* stream_by_source(std::uint32_t ssrc);
  [[nodiscard]] std::size_t index_of(const Stream& stream) const;

  // Each appends what `item` asks for to the compound of the stream that it is about.
  struct Answers;
  void answer(const SenderReport& report, Answers& answers, dtls::Instant now);
  void answer(const ReportBlock& block, Answers& answers, dtls::Instant now);
  template <class Feedback>  // PLI, FIR, NACK
  void answer(const Feedback& feedback, Answers& answers, dtls::Instant now);

  std::vector<Stream> streams_;
  MediaEchoStatistics statistics_;
};

}  // namespace sluice::interop::demo
