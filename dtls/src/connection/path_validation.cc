#include "connection/path_validation.h"

#include <algorithm>
#include <chrono>
#include <span>

#include <sluice/dtls/config.h>

#include "crypto/constant_time.h"

namespace sluice::dtls::connection {

using message::PathMessageType;

Duration PathValidation::interval(std::optional<Duration> rtt) {
  constexpr Duration kUnknown = std::chrono::seconds{1};
  if (!rtt) return kUnknown / kChallenges;
  return std::clamp(*rtt, RetransmissionTimers::kMinimumInitial,
                    RetransmissionTimers::kMaximumInitial);
}

PathValidation::PathValidation(const Paths& paths, bool is_enhanced, Duration interval, Instant now)
    : paths_(paths), interval_(interval), next_(now) {
  begin_path(is_enhanced, now);
}

void PathValidation::begin_path(bool is_old, Instant now) {
  is_on_old_path_ = is_old;
  is_due_ = true;
  cookies_sent_ = 0;
  intervals_ = 0;
  next_ = now + interval_;
}

void PathValidation::on_sent(const message::PathCookie& cookie, std::size_t bytes) {
  is_due_ = false;
  cookies_[cookies_sent_++] = cookie;
  if (!is_on_old_path_) sent_ += bytes;
}

bool PathValidation::has_sent(const message::PathCookie& cookie) const {
  return std::ranges::any_of(std::span(cookies_).first(cookies_sent_),
                             [&](const auto& sent) { return crypto::equal(sent, cookie); });
}

std::optional<PathValidation::Outcome> PathValidation::on_answer(const message::PathMessage& answer,
                                                                 PathId path, Instant now) {
  if (path != path_of_challenge() || !has_sent(answer.cookie)) return std::nullopt;
  const bool is_response = answer.type == PathMessageType::path_response;
  if (!is_on_old_path_) return is_response ? Outcome::validated : Outcome::refused;
  if (is_response) return Outcome::refused;
  begin_path(false, now);
  return Outcome::under_way;
}

PathValidation::Outcome PathValidation::on_timeout(Instant now) {
  if (now < next_) return Outcome::under_way;
  if (++intervals_ < kChallenges) {
    is_due_ = true;
    next_ = now + interval_;
    return Outcome::under_way;
  }
  if (!is_on_old_path_) return Outcome::refused;
  begin_path(false, now);
  return Outcome::under_way;
}

}  // namespace sluice::dtls::connection
