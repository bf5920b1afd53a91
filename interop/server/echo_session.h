// One call: what a browser sends comes back to it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sluice/nice/nice_transport.h>

#include "server/channel_echo.h"
#include "server/media_echo.h"
#include "server/sctp_association.h"
#include "server/sdp_answer.h"
#include "server/sdp_offer.h"

namespace sluice::interop {

struct SessionOptions {
  dtls::ConfigPtr dtls = {};                                  // required
  nice::IceOptions ice = {};                                  // the role is set by the offer
  nice::Setup setup = nice::Setup::active;                    // ours: active or passive
  dtls::Duration connect_timeout = std::chrono::seconds{60};  // until DTLS is connected
};

enum class SessionState : std::uint8_t { connecting, connected, ended };
std::string_view to_string(SessionState state);

// When what was first there, since the offer came.
struct SetupTimes {
  std::optional<dtls::Duration> ice;    // a path
  std::optional<dtls::Duration> dtls;   // the handshake done and the peer accepted
  std::optional<dtls::Duration> media;  // RTP
  std::optional<dtls::Duration> data;   // a data channel
};

// Lives on the thread of the main context, as NiceTransport does.
class EchoSession final : private nice::NiceTransportListener {
 public:
  // What a session stands on; all of it outlives the session.
  struct Ground {
    dtls::Environment& environment;
    _GMainContext* context;
    SctpStack& sctp;
  };
  // Called once, with the answer, when all candidates are known; not before make() has returned.
  using AnswerReady = std::function<void(const std::string& sdp)>;

  // Errors: what the transport refused, as a sentence.
  static SdpResult<std::unique_ptr<EchoSession>> make(std::string id, Offer offer,
                                                      SessionOptions options, const Ground& ground,
                                                      AnswerReady ready);
  ~EchoSession();
  EchoSession(const EchoSession&) = delete;
  EchoSession& operator=(const EchoSession&) = delete;

  // Ends the transport, with a close_notify if it was connected. Later calls do nothing.
  void end(std::string_view reason);
  // To be called after SctpStack::advance().
  void after_sctp_timers() { flush_data(); }
  // Ends a session that takes too long to connect.
  void check_deadline(dtls::Instant now);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] SessionState state() const { return state_; }
  // When it ended; meaningful in SessionState::ended.
  [[nodiscard]] dtls::Instant ended_at() const { return ended_at_; }
  // As JSON; of an ended session as it was at its end.
  [[nodiscard]] std::string statistics() const;

 private:
  EchoSession(std::string id, Offer offer, SessionOptions options, const Ground& ground,
              AnswerReady ready);
  SdpResult<void> open();
  [[nodiscard]] std::vector<EchoStreamOptions> echo_streams() const;
  void start_data();
  void flush_data();
  [[nodiscard]] std::string write_statistics(std::string_view reason) const;
  void log(const std::string& text) const;
  // Remembers the first time only.
  void mark(std::optional<dtls::Duration>& time) const;

  void on_local_candidates_done() override;
  void on_ice_state(nice::IceState state) override;
  void on_connected(const dtls::ConnectionInfo& info) override;
  void on_rtp(MutableBytes packet) override;
  void on_rtcp(MutableBytes packet) override;
  void on_data(MutableBytes data) override;
  void on_closed(const nice::CloseReason& reason) override;

  std::string id_;
  Offer offer_;
  SessionOptions options_;
  Ground ground_;
  AnswerReady ready_;
  dtls::Instant start_;
  SetupTimes times_ = {};
  SessionState state_ = SessionState::connecting;
  dtls::Instant ended_at_ = {};
  std::string final_statistics_;

  std::vector<std::uint32_t> ssrcs_;  // parallel to the offer's sections
  std::optional<nice::NiceTransport> transport_;
  MediaEcho media_;
  std::unique_ptr<SctpAssociation> sctp_;
  std::optional<ChannelEcho> channels_;
};

}  // namespace sluice::interop
