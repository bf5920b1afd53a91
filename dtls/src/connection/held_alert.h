// An alert in plaintext that ends the handshake unless the peer continues with it
// (docs/decisions/0014-plaintext-alerts.md).
#pragma once

#include <optional>
#include <utility>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/protocol.h>

namespace sluice::dtls::connection {

class HeldAlert {
 public:
  // An honest peer's next message needs one round trip, which takes 0.6 s over a geostationary
  // satellite. A peer that has really given up is reported within a second, before the first
  // retransmission of a flight that it no longer wants (RFC 9147 section 5.8.2).
  static constexpr Duration kPatience = std::chrono::milliseconds{900};

  // False: another alert is held already.
  [[nodiscard]] bool hold(Alert alert, Instant now) {
    if (held_) return false;
    held_ = {alert, now + kPatience};
    return true;
  }
  // The peer can only now show whether it continues.
  void restart(Instant now) {
    if (held_) held_->until = now + kPatience;
  }
  // The peer continues. Whether an alert was held.
  [[nodiscard]] bool refute() { return std::exchange(held_, std::nullopt).has_value(); }
  // The alert whose time is over.
  [[nodiscard]] std::optional<Alert> due(Instant now) const {
    return held_ && now >= held_->until ? std::optional(held_->alert) : std::nullopt;
  }
  [[nodiscard]] std::optional<Instant> deadline() const {
    return held_ ? std::optional(held_->until) : std::nullopt;
  }

 private:
  struct Held {
    Alert alert;
    Instant until;
  };
  std::optional<Held> held_;
};

}  // namespace sluice::dtls::connection
