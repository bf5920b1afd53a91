#include "association.h"

namespace sluice::transport {

srtp::Session* Association::make_session(const srtp::SessionOptions& options) {
  if (std::holds_alternative<NotMade>(session_) && connection_.connected()) {
    session_ = Unavailable{};
    if (auto keys = connection_.srtp_keys()) {
      auto session = srtp::Session::make(std::move(*keys), options);
      if (session) session_ = std::move(*session);
    }
  }
  return session_if_made();
}

}  // namespace sluice::transport
