// A return routability check that this side makes (RFC 9853 section 5).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/path.h>

#include "message/path_message.h"

namespace sluice::dtls::connection {

// "Anti-amplification limit" (RFC 9853 section 2): an address that has not answered gets at most
// three times the bytes of the records that came from it and were not discarded.
inline constexpr std::size_t kAmplificationLimit = 3;

// The basic check asks on the new path. The enhanced check asks on the old path before:
//
//   old path --- path_response ---> refused: the peer is still there
//            --- path_drop, or T has passed ---> new path
//   new path --- path_response ---> validated
//            --- path_drop, or T has passed ---> refused
//
// Another new path is ignored until the check has ended (RFC 9853 section 5).
class PathValidation {
 public:
  // Challenges on each path: one per round trip (RFC 9853 section 5.3), of which T has three.
  static constexpr std::size_t kChallenges = 3;

  enum class Outcome : std::uint8_t { under_way, validated, refused };

  // RFC 9853 section 5.5: T is three round trips of the old path, or one second where that is not
  // known. The new path may be slower, so the round trip has bounds, as for handshake flights.
  static Duration interval(std::optional<Duration> rtt);

  struct Paths {
    PathId old_path;
    PathId new_path;
  };
  PathValidation(const Paths& paths, bool is_enhanced, Duration interval, Instant now);

  [[nodiscard]] PathId new_path() const { return paths_.new_path; }

  // ---- the bytes of the new path

  // `received`: of records that were not discarded.
  void count(std::size_t received, std::size_t sent) {
    received_ += received;
    sent_ += sent;
  }

  // ---- challenges

  // Whether a challenge in a datagram of `size` bytes is to be sent now.
  [[nodiscard]] bool is_due(std::size_t size) const { return is_due_ && size <= limit(); }
  [[nodiscard]] PathId path_of_challenge() const {
    return is_on_old_path_ ? paths_.old_path : paths_.new_path;
  }
  // The longest datagram that may be sent there.
  [[nodiscard]] std::size_t limit() const { return is_on_old_path_ ? SIZE_MAX : room(); }
  // The challenge was sent, with this cookie.
  void on_sent(const message::PathCookie& cookie, std::size_t bytes);
  // The challenge cannot be sent now.
  void skip() { is_due_ = false; }

  // ---- what comes of it

  // A path_response or path_drop. Empty: it answers no challenge, and is to be discarded.
  std::optional<Outcome> on_answer(const message::PathMessage& answer, PathId path, Instant now);
  Outcome on_timeout(Instant now);
  [[nodiscard]] Instant next_timeout() const { return next_; }

 private:
  void begin_path(bool is_old, Instant now);
  // What may be sent to the new path.
  [[nodiscard]] std::size_t room() const {
    const std::size_t allowed = kAmplificationLimit * received_;
    return allowed - std::min(allowed, sent_);
  }
  [[nodiscard]] bool has_sent(const message::PathCookie& cookie) const;

  Paths paths_;
  Duration interval_;
  Instant next_;  // of the next challenge, or the end of T
  std::size_t received_ = 0;
  std::size_t sent_ = 0;
  std::array<message::PathCookie, kChallenges> cookies_{};
  std::uint8_t cookies_sent_ = 0;
  std::uint8_t intervals_ = 0;  // that have passed on this path
  bool is_on_old_path_ = false;
  bool is_due_ = false;
};

}  // namespace sluice::dtls::connection
