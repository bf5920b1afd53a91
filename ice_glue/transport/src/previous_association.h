// The association from before a restart, and how long it serves.
#pragma once

#include <optional>
#include <variant>

#include "association.h"

namespace sluice::transport {

// RFC 8842 says which association comes next, not when its keys may be used. Whose handshake ends
// last knows that the peer has the keys, and changes over at once; the other side waits for a
// packet under them, or a while. So no packet is sent under keys that the peer lacks, unless it
// stays mute.
//
//   Serving   until the new keys are known to work, or the hold is over
//   Lingering takes packets, sends none
//   Leaving   says close_notify
class PreviousAssociation {
 public:
  struct Times {
    dtls::Duration hold;
    dtls::Duration linger;
  };

  PreviousAssociation(Association association, Times times)
      : association_(std::move(association)), times_(times) {}

  [[nodiscard]] Association& association() { return association_; }
  [[nodiscard]] const Association& association() const { return association_; }

  // Whether it sends, in place of the new association.
  [[nodiscard]] bool sends() const { return std::holds_alternative<Serving>(state_); }
  // Over, but for the datagram that says so to the peer.
  [[nodiscard]] bool leaving() const { return std::holds_alternative<Leaving>(state_); }

  // The new handshake is complete here. `at_both_ends`: it is so for the peer, too.
  void on_newest_connected(bool at_both_ends, Instant now);
  // A packet under the new keys has come.
  void on_newest_used(Instant now);
  void handle_timeout(Instant now);
  // Takes nothing and sends nothing any more; queues close_notify.
  void leave(Instant now);

  [[nodiscard]] std::optional<Instant> next_timeout() const;

 private:
  struct Serving {
    std::optional<Instant> until;  // known once the new handshake is complete
  };
  struct Lingering {
    Instant until;
  };
  struct Leaving {};

  void change_over(Instant now) { state_ = Lingering{now + times_.linger}; }

  Association association_;
  Times times_;
  std::variant<Serving, Lingering, Leaving> state_;
};

}  // namespace sluice::transport
