// One DTLS association and the SRTP session with its keys.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include <sluice/transport/media_transport.h>

#include "path_table.h"

namespace sluice::transport {

class Association {
 public:
  Association(dtls::Connection connection, Generation generation)
      : connection_(std::move(connection)), generation_(generation) {}

  [[nodiscard]] dtls::Connection& connection() { return connection_; }
  [[nodiscard]] const dtls::Connection& connection() const { return connection_; }
  [[nodiscard]] Generation generation() const { return generation_; }
  // An SRTP session is made when the connection is connected, and ends with it.
  [[nodiscard]] bool connected() const {
    return std::holds_alternative<srtp::Session>(session_) || connection_.connected();
  }

  // Made when it is first needed: a call with data alone needs no libsrtp contexts, which cost time
  // and memory. Null before the handshake is complete, without an SRTP profile, and with a failure.
  srtp::Session* session(const srtp::SessionOptions& options) {
    srtp::Session* made = session_if_made();
    return made != nullptr ? made : make_session(options);
  }
  // Null unless it has been made.
  [[nodiscard]] srtp::Session* session_if_made() { return std::get_if<srtp::Session>(&session_); }

  // Ends the session, if there is one.
  std::optional<srtp::SrtpState> export_srtp() {
    auto* made = session_if_made();
    if (made == nullptr) return std::nullopt;
    auto state = std::move(*made).export_state();
    end_media();
    return state;
  }
  // The session of an association that was restored.
  dtls::Result<void> restore_srtp(srtp::SrtpState state, const srtp::SessionOptions& options);

  // Why libsrtp made no session, if it was asked to.
  [[nodiscard]] std::optional<srtp::SetupError> session_failure() const {
    const auto* failed = std::get_if<Failed>(&session_);
    return failed != nullptr ? std::optional(failed->error) : std::nullopt;
  }
  // Whether session_failure() or take_ssrc_limit() has something to tell.
  [[nodiscard]] bool has_session_news() const {
    const auto* session = std::get_if<srtp::Session>(&session_);
    return session != nullptr ? untold_ssrc_limit(*session).has_value()
                              : std::holds_alternative<Failed>(session_);
  }
  // The directions in which the session has met its limit of SSRCs, each told once.
  [[nodiscard]] std::optional<srtp::Direction> take_ssrc_limit();

  // No media passes any more. The connection stays, since it may have an alert to send.
  void end_media() { session_ = Unavailable{}; }

 private:
  struct NotMade {};
  struct Unavailable {};
  struct Failed {
    srtp::SetupError error;
  };

  [[gnu::cold]] srtp::Session* make_session(const srtp::SessionOptions& options);
  // The direction whose limit is to be told next.
  [[nodiscard]] std::optional<srtp::Direction> untold_ssrc_limit(
      const srtp::Session& session) const {
    const auto& statistics = session.statistics();
    const auto is_met = [](const srtp::Statistics::Counters& counters) {
      return counters.ssrcs_displaced + counters.count(srtp::PacketError::too_many_ssrcs) > 0;
    };
    if (!told_inbound_limit_ && is_met(statistics.inbound)) return srtp::Direction::inbound;
    if (!told_outbound_limit_ && is_met(statistics.outbound)) return srtp::Direction::outbound;
    return std::nullopt;
  }

  dtls::Connection connection_;
  Generation generation_;
  std::variant<NotMade, srtp::Session, Unavailable, Failed> session_;
  bool told_inbound_limit_ = false;
  bool told_outbound_limit_ = false;
};

}  // namespace sluice::transport
