// Sends a browser's RTP back to it, and translates the RTCP feedback about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/rtp/packet.h>
#include <sluice/rtp/reception.h>
#include <sluice/rtp/rtcp.h>

namespace sluice::interop::demo {

using dtls::Buffer;
using dtls::Bytes;
using dtls::MutableBytes;

// The CNAME of the echo in RTCP and SDP.
inline constexpr std::string_view kCname = "sluice";

struct EchoStreamOptions {
  std::string mid;
  std::optional<rtp::ExtensionId> mid_extension;
  rtp::PayloadType payload_type;
  std::uint32_t clock_rate;  // above 0
  rtp::Ssrc own_ssrc;        // of the echoed packets; differs between streams
  bool send = true;          // false: packets are received but not echoed
};

struct MediaEchoStatistics {
  std::uint64_t rtp_echoed = 0;
  std::uint64_t rtp_dropped = 0;         // of no stream, or of one that is not echoed
  std::uint64_t feedback_forwarded = 0;  // PLI, FIR, NACK
  std::uint64_t reports_sent = 0;
  std::optional<dtls::Duration> rtt;  // from the newest report block about the echo
};

// What one stream goes on from in another process.
struct EchoStreamState {
  std::optional<rtp::Ssrc> source = {};
  std::uint32_t packets = 0;
  std::uint32_t octets = 0;
  rtp::ReceptionState reception = {};
};

// The media of one bundled call. To the browser the echo is a remote source with an SSRC of its
// own. Feedback about that source (a key frame request, a NACK) is sent back to the browser as
// feedback about its own source. Each sender report of the browser is answered by one under the
// other SSRC, so no timer is needed. Only the SSRC of a packet changes; sequence numbers and
// timestamps stay. No I/O. Not thread-safe.
class MediaEcho {
 public:
  explicit MediaEcho(std::vector<EchoStreamOptions> streams);

  // In the order of the options.
  [[nodiscard]] std::vector<EchoStreamState> state(dtls::Instant now) const;
  // Goes on from the state() of an echo with the same options; what is above their number is
  // ignored.
  void restore(const std::vector<EchoStreamState>& states, dtls::Instant now);

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
    rtp::CompactNtp ntp_time;
    dtls::Instant at;
  };
  struct Stream {
    EchoStreamOptions options;
    rtp::Reception reception;
    std::optional<rtp::Ssrc> source = {};  // the browser's SSRC, from its first packet
    std::uint32_t packets = 0;             // sent; wraps around (RFC 3550 section 6.4.1)
    std::uint32_t octets = 0;
    std::optional<SentReport> sent_report = {};
  };

  Stream* stream_of(const rtp::Packet& packet);
  Stream* stream_by_own_ssrc(rtp::Ssrc ssrc);
  Stream* stream_by_source(rtp::Ssrc ssrc);

  // What is sent for one stream.
  class Answer;
  Answer& answer_of(std::vector<Answer>& answers, const Stream& stream);
  void read_blocks(const rtp::ItemList<rtp::ReportBlock>& blocks, dtls::Instant now);
  void answer_report(const rtp::SenderReport& report, std::vector<Answer>& answers,
                     dtls::Instant now);
  // Forwards PLI and NACK.
  template <class Feedback>
  void forward(const Feedback& feedback, std::vector<Answer>& answers);
  void forward_entries(const rtp::FullIntraRequest& request, std::vector<Answer>& answers);
  template <class Feedback>
  void send_feedback(const Stream& stream, const Feedback& feedback, std::vector<Answer>& answers);

  std::vector<Stream> streams_;
  MediaEchoStatistics statistics_;
};

}  // namespace sluice::interop::demo
