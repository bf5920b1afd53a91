// One call: sends a browser's media and messages back to it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/sdp/sdp_offer.h"
#include "demo/call_transport.h"
#include "demo/channel_echo.h"
#include "demo/media_echo.h"
#include "demo/moved_call.h"
#include "demo/sdp_answer.h"

namespace sluice::interop::demo {

struct SessionOptions {
  dtls::ConfigPtr dtls = {};  // required
  // Our role: active or passive; actpass: we offer, and the answer decides.
  Setup setup = Setup::passive;
  dtls::Duration connect_timeout = std::chrono::seconds{60};  // until DTLS is connected
};

enum class SessionState : std::uint8_t { connecting, connected, ended };
std::string_view to_string(SessionState state);

// Created, used and destroyed on the service's thread.
class EchoSession final : private CallListener {
 public:
  // What all sessions share. It outlives them.
  struct Shared {
    CallTransports& transports;
  };
  // Called once with the answer, or with our offer, when all candidates are known, and never before
  // make() has returned.
  using AnswerReady = std::function<void(const std::string& sdp)>;

  // `offer`: the browser's, or own_offer(). The error is a sentence that says why the transport
  // can't be opened.
  static SdpResult<std::unique_ptr<EchoSession>> make(std::string id, Offer offer,
                                                      SessionOptions options, const Shared& shared,
                                                      AnswerReady ready);
  // Goes on with a call that move_out() has ended, `away` ago. The browser notices neither, except
  // that its data channels lose what was under way.
  static SdpResult<std::unique_ptr<EchoSession>> restore(const MovedCall& moved,
                                                         dtls::Duration away,
                                                         SessionOptions options,
                                                         const Shared& shared);
  ~EchoSession();
  // To be called once make() has returned, for an answer that is ready already.
  void answer_if_ready();
  EchoSession(const EchoSession&) = delete;
  EchoSession& operator=(const EchoSession&) = delete;

  // Ends the call here, without a word to the browser. The error says why it cannot move; it goes
  // on then.
  tl::expected<MovedCall, std::string> move_out();
  // The browser's answer to our offer. The error is a sentence that says why it can't be taken;
  // there is one where we have not offered, and for a second answer.
  SdpResult<void> take_answer(Offer answer);

  // Closes the transport, with a close_notify if it was connected. Later calls do nothing.
  void end(std::string_view reason);
  // Runs the timers of the data channels. Call it every 10 ms.
  void run_data_timers(dtls::Instant now);
  // Ends the session if connecting has taken longer than connect_timeout.
  void check_deadline(dtls::Instant now);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] SessionState state() const { return state_; }
  // Meaningful in SessionState::ended.
  [[nodiscard]] dtls::Instant ended_at() const { return ended_at_; }
  // As JSON. An ended session returns the figures of its end.
  [[nodiscard]] std::string statistics() const;

 private:
  EchoSession(std::string id, Offer offer, SessionOptions options, const Shared& shared,
              AnswerReady ready, std::vector<std::uint32_t> ssrcs);
  SdpResult<void> open();
  [[nodiscard]] bool offers() const { return options_.setup == Setup::actpass; }
  [[nodiscard]] dtls::Role own_role() const {
    return options_.setup == Setup::active ? dtls::Role::client : dtls::Role::server;
  }
  [[nodiscard]] std::vector<EchoStreamOptions> echo_streams() const;
  // `waits`: for start(), since the SDP has a=sctp-init.
  void make_channels(const OfferedSection& section, bool waits);
  // With the first call.
  void start_data();
  void flush_data();
  [[nodiscard]] std::string write_statistics(std::string_view reason) const;
  void log(const std::string& text) const;
  // Sets `time` to the time since the offer, unless it is already set.
  void mark(std::optional<dtls::Duration>& time) const;

  void on_description_ready() override;
  void on_path() override;
  void on_connected(const dtls::ConnectionInfo& info) override;
  void on_rtp(MutableBytes packet) override;
  void on_rtcp(MutableBytes packet) override;
  void on_data(MutableBytes data) override;
  void on_transport_ended(const std::string& reason) override;

  std::string id_;
  Offer offer_;
  SessionOptions options_;
  Shared shared_;
  AnswerReady ready_;
  dtls::Instant start_;
  SetupTimes times_ = {};
  SessionState state_ = SessionState::connecting;
  dtls::Instant ended_at_ = {};
  std::string final_statistics_;

  std::vector<std::uint32_t> ssrcs_;  // parallel to the offer's sections
  std::unique_ptr<CallTransport> transport_;
  MediaEcho media_;
  std::optional<ChannelEcho> channels_;
  bool is_data_started_ = false;
};

}  // namespace sluice::interop::demo
