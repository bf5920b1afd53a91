// A client of a media server, without I/O: what publishers and viewers have in common.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <sluice/rtp/report_timer.h>
#include <sluice/rtp/rtcp.h>

#include "common/client/media_session.h"
#include "common/media_clock.h"

namespace sluice::interop::load {

using common::media_time;

class Client {
 public:
  virtual ~Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // After each of them: take().
  void handle_datagram(dtls::MutableBytes datagram, const dtls::UdpEndpoint& from,
                       dtls::Instant now);
  void handle_timeout(dtls::Instant now);
  // The server gets a close_notify.
  void close(dtls::Instant now) { session_.close(now); }
  // Empty: it has ended.
  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const;
  std::vector<Outgoing> take() { return session_.take(); }

  MediaSession& session() { return session_; }
  [[nodiscard]] const MediaSession& session() const { return session_; }

 protected:
  explicit Client(MediaSession session) : session_(std::move(session)) {}

  virtual void on_connected(dtls::Instant now) = 0;
  virtual void on_rtp(dtls::MutableBytes packet, dtls::Instant now) = 0;
  virtual void on_rtcp(const rtp::RtcpPacket& packet, dtls::Instant now) = 0;
  // The media's own timers.
  virtual void on_timeout(dtls::Instant now) = 0;
  [[nodiscard]] virtual std::optional<dtls::Instant> media_timeout() const = 0;
  // Adds a report and a CNAME.
  virtual void write_report(rtp::CompoundWriter& writer, dtls::Instant now) = 0;

  // `write` adds packets to a rtp::CompoundWriter; nothing is sent if it adds none.
  template <class Write>
  void send_rtcp(Write write) {
    // With the headers of SRTCP, UDP and IP it fits any path.
    std::array<std::byte, 1100> bytes{};
    rtp::CompoundWriter writer(rtp::CompoundForm::full, bytes);
    write(writer);
    if (!writer.compound().empty()) session_.send_rtcp(writer.compound());
  }
  static void add_cname(rtp::CompoundWriter& writer, rtp::Ssrc ssrc);

 private:
  void drain(dtls::Instant now);
  void send_due_report(dtls::Instant now);

  MediaSession session_;
  std::optional<rtp::ReportTimer> reports_ = {};  // once it is connected
};

}  // namespace sluice::interop::load
