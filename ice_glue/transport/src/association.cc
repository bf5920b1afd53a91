#include "association.h"

#include <string_view>

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

dtls::Result<void> Association::restore_srtp(srtp::SrtpState state,
                                             const srtp::SessionOptions& options) {
  auto keys = connection_.srtp_keys();
  if (!keys) return dtls::forward_error(keys);
  auto session = srtp::Session::restore(std::move(*keys), std::move(state), options);
  if (session) {
    session_ = std::move(*session);
    return {};
  }
  using enum srtp::SetupError;
  const auto refused = [](std::string_view why) {
    return tl::unexpected(dtls::Error{.code = dtls::Errc::session_refused, .detail = why});
  };
  if (session.error() == foreign_state) return refused("srtp: a state of other keys");
  if (session.error() == state_too_large)
    return refused("srtp: max_ssrcs: fewer than in the state");
  return tl::unexpected(dtls::Error{.code = dtls::Errc::libcrypto_failure,
                                    .detail = "srtp: libsrtp made no session"});
}

std::optional<srtp::Direction> Association::take_ssrc_limit() {
  const auto* session = session_if_made();
  const auto limit = session != nullptr ? untold_ssrc_limit(*session) : std::nullopt;
  if (limit)
    (*limit == srtp::Direction::inbound ? told_inbound_limit_ : told_outbound_limit_) = true;
  return limit;
}

}  // namespace sluice::transport
