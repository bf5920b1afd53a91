// What return routability checks leave to be done: this side's own check, and answers to the peer's
// (RFC 9853).
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "connection/earliest.h"
#include "connection/path_validation.h"

namespace sluice::dtls::connection {

// The answer to a challenge of the peer. It goes to the path of the challenge.
struct PathAnswer {
  message::PathMessage message{};
  PathId path{};
  std::size_t limit = 0;  // the longest datagram for it, in bytes
};

// Exists only while it is not empty; see Outputs.
class PathChecks {
 public:
  [[nodiscard]] bool empty() const { return !validation && answers_.empty() && !left_; }

  // This side's check; empty: none is under way.
  std::optional<PathValidation> validation = {};

  // ---- answers to the peer

  // False if there is no room; the answer is dropped then.
  bool add(const PathAnswer& answer) {
    if (answers_.size() == kMaxAnswers) return false;
    answers_.push_back(answer);
    return true;
  }
  std::optional<PathAnswer> take_answer() {
    if (answers_.empty()) return std::nullopt;
    const PathAnswer answer = answers_.front();
    answers_.erase(answers_.begin());
    return answer;
  }

  // ---- the path that this side has left by itself, without a check

  // The peer learns that by records from the new path. Until then its records come from the old
  // one, and do not show that it has moved.
  void leave(PathId path) {
    validation.reset();
    left_ = Left{path, std::nullopt};
  }
  // Challenges on it are answered by path_drop.
  [[nodiscard]] bool has_left(PathId path) const { return left_ && left_->path == path; }
  // The peer has sent to the new path.
  void on_followed(Instant now) {
    if (left_ && !left_->expires) left_->expires = now + kLeftPathLifetime;
  }

  // ---- output and timers

  // Whether a datagram of `size` bytes, which each message needs, is to be sent now.
  [[nodiscard]] bool has_output(std::size_t size) const {
    return !answers_.empty() || (validation && validation->is_due(size));
  }
  // It cannot be sent.
  void drop_output() {
    answers_.clear();
    if (validation) validation->skip();
  }
  [[nodiscard]] std::optional<Instant> next_timeout() const {
    const auto of_left = left_ ? left_->expires : std::nullopt;
    return validation ? earliest({validation->next_timeout(), of_left}) : of_left;
  }
  // The outcome of this side's check.
  PathValidation::Outcome on_timeout(Instant now) {
    if (left_ && left_->expires && now >= *left_->expires) left_.reset();
    return validation ? validation->on_timeout(now) : PathValidation::Outcome::under_way;
  }

 private:
  // To one datagram; a peer sends one challenge in each (RFC 9853 section 5.3).
  static constexpr std::size_t kMaxAnswers = 8;
  // The peer may send to both paths until its check has ended, after 2 T. T is three round trips.
  static constexpr Duration kLeftPathLifetime = std::chrono::minutes{1};

  struct Left {
    PathId path{};
    std::optional<Instant> expires = {};  // empty: the peer has not followed yet
  };

  std::vector<PathAnswer> answers_;
  std::optional<Left> left_;
};

}  // namespace sluice::dtls::connection
