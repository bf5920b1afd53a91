// A session with a media server, without I/O: ICE, DTLS and SRTP of one client.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/dtls/config.h>
#include <sluice/dtls/environment.h>
#include <sluice/ice_lite/session.h>
#include <sluice/transport/media_transport.h>
#include <tl/expected.hpp>

#include "common/client/ice_agent.h"
#include "common/sdp/answer_reader.h"

namespace sluice::interop {

struct SessionSetup {
  dtls::ConfigPtr dtls = {};       // required
  ice_lite::Credentials ice = {};  // as the offer had them
  Answer answer = {};              // to the offer
  // The server's candidates that can be used, the preferred one first.
  std::vector<dtls::UdpEndpoint> candidates = {};
  // As in IceOptions.
  dtls::Duration consent_interval = IceOptions{}.consent_interval;
  dtls::Duration consent_limit = IceOptions{}.consent_limit;
};

class MediaSession {
 public:
  // `environment` outlives it. The error says what is wrong with the answer, or failed.
  static tl::expected<MediaSession, std::string> make(const SessionSetup& setup,
                                                      dtls::Environment& environment,
                                                      dtls::Instant now);

  // After each of them: poll_media() until empty, and take().
  void handle_datagram(dtls::MutableBytes datagram, const dtls::UdpEndpoint& from,
                       dtls::Instant now);
  void handle_timeout(dtls::Instant now);
  void close(dtls::Instant now);
  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const;

  // Valid until the next input.
  std::optional<transport::MediaPacket> poll_media() { return transport_.poll_media(); }
  // What is to be sent.
  std::vector<Outgoing> take();

  // Protects the packet and puts it among what take() returns. False: it could not.
  bool send_rtp(dtls::Bytes packet);
  bool send_rtcp(dtls::Bytes compound);

  // Empty: not yet.
  [[nodiscard]] std::optional<dtls::Instant> connected_at() const { return connected_at_; }
  // Why it has ended; empty while it has not. "closed" after a close_notify of the server.
  [[nodiscard]] const std::string& end() const { return end_; }
  static constexpr const char* kClosed = "closed";

 private:
  MediaSession(IceAgent ice, transport::MediaTransport transport)
      : ice_(std::move(ice)), transport_(std::move(transport)) {}

  void take_ice_events(dtls::Instant now);
  void settle(const dtls::Result<transport::TransportPending>& outcome, dtls::Instant now);
  template <class Protect>
  bool send(dtls::Bytes packet, Protect protect);

  IceAgent ice_;
  transport::MediaTransport transport_;
  std::optional<dtls::Instant> connected_at_ = {};
  std::string end_ = {};
  std::vector<Outgoing> out_;
};

}  // namespace sluice::interop
