#include "association.h"

namespace sluice::transport {

srtp::Session* Association::make_session(const srtp::SessionOptions& options) {
  if (std::holds_alternative<NotMade>(session_) && connection_.connected()) {
    session_ = Unavailable{};
    if (auto keys = connection_.srtp_keys()) {
      auto session = srtp::Session::make(std::move(*keys), options);
      if (session) {
        session_ = std::move(*session);
      } else {
        session_ = Failed{session.error()};
      }
    }
  }
  return session_if_made();
}

std::optional<srtp::Direction> Association::take_ssrc_limit() {
  const auto* session = session_if_made();
  if (session == nullptr) return std::nullopt;
  const auto met = [](const srtp::Statistics::Counters& counters) {
    return counters.ssrcs_displaced + counters.count(srtp::PacketError::too_many_ssrcs) > 0;
  };
  if (!told_inbound_limit_ && met(session->statistics().inbound)) {
    told_inbound_limit_ = true;
    return srtp::Direction::inbound;
  }
  if (!told_outbound_limit_ && met(session->statistics().outbound)) {
    told_outbound_limit_ = true;
    return srtp::Direction::outbound;
  }
  return std::nullopt;
}

}  // namespace sluice::transport
