// The association from before a restart, and how long it serves.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "association.h"

namespace sluice::transport {

// RFC 8842 says which association follows, not when its keys may be used. The side whose handshake
// ends last knows that the peer has the new keys and changes over at once. The other side waits for
// a packet under the new keys, or for MediaTransportOptions::old_keys_hold. So no packet is sent
// under keys that the peer doesn't have, unless the peer sends nothing for that long.
//
//   Serving   sends and receives, until the new keys are known to work or the hold is over
//   Lingering receives, sends nothing
//   Leaving   has queued close_notify; receives and sends nothing else
class PreviousAssociation {
 public:
  struct Times {
    dtls::Duration hold;    // of Serving, once the new handshake is complete here
    dtls::Duration linger;  // of Lingering
  };

  PreviousAssociation(Association association, Times times)
      : association_(std::move(association)), times_(times) {}

  [[nodiscard]] Association& association() { return association_; }
  [[nodiscard]] const Association& association() const { return association_; }

  // Whether it sends, in place of the newest association.
  [[nodiscard]] bool sends() const { return std::holds_alternative<Serving>(state_); }
  // Only its close_notify may still have to be sent.
  [[nodiscard]] bool leaving() const { return std::holds_alternative<Leaving>(state_); }

  // The new handshake is complete here. `at_both_ends`: the peer has completed it, too.
  void on_newest_connected(bool at_both_ends, Instant now);
  // A packet under the new keys has been received.
  void on_newest_used(Instant now);
  void handle_timeout(Instant now);
  // Queues close_notify.
  void leave(Instant now);

  [[nodiscard]] std::optional<Instant> next_timeout() const;

 private:
  struct Serving {
    std::optional<Instant> until;  // set once the new handshake is complete
  };
  struct Lingering {
    Instant until;
  };
  struct Leaving {};

  void change_over(Instant now) { state_ = Lingering{saturating_add(now, times_.linger)}; }

  Association association_;
  Times times_;
  std::variant<Serving, Lingering, Leaving> state_;
};

}  // namespace sluice::transport
