#include "endpoint/wanted_sessions.h"

#include <iterator>
#include <utility>

namespace sluice::dtls::endpoint {
namespace {

Buffer copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

WantedSessions::Added WantedSessions::add(Bytes id, Bytes datagram, const UdpPath& path,
                                          Instant now) {
  if (bytes_ + cost(datagram) > options_.max_bytes) return Added::dropped;
  const auto known = by_id_.find(id);
  const bool is_new = known == by_id_.end();
  if (is_new && open_.size() >= options_.max_wanted) return Added::dropped;
  const WantedSession number = is_new ? WantedSession{++last_number_} : known->second;
  if (is_new) {
    by_id_.emplace(copy_of(id), number);
    open_.emplace(number, Question{ConnectionId(id), now + options_.timeout, {}});
  }
  const auto question = open_.find(number);
  if (question == open_.end()) return Added::dropped;  // it is denied
  auto& waiting = question->second.datagrams;
  if (waiting.size() >= options_.max_datagrams_each) return Added::dropped;
  waiting.push_back({copy_of(datagram), path});
  bytes_ += cost(datagram);
  return is_new ? Added::asked : Added::waits;
}

WantedSessions::Expired WantedSessions::expire(Instant now) {
  Expired expired;
  while (!open_.empty() && open_.begin()->second.deadline <= now) {
    ++expired.questions;
    expired.datagrams += forget(end(open_.begin()).datagrams);
  }
  while (!denied_.empty() && denied_.begin()->second.deadline <= now) pardon(denied_.begin());
  return expired;
}

std::optional<Instant> WantedSessions::deadline() const {
  // What is denied takes no action when its time has passed.
  return open_.empty() ? std::nullopt : std::optional(open_.begin()->second.deadline);
}

std::optional<SessionWanted> WantedSessions::poll() {
  const auto next = open_.upper_bound(last_told_);
  if (next == open_.end()) return std::nullopt;
  last_told_ = next->first;
  const Question& question = next->second;
  return SessionWanted{next->first, question.id, question.datagrams.front().path};
}

const WantedSessions::Question* WantedSessions::find(WantedSession number) const {
  const auto found = open_.find(number);
  return found == open_.end() ? nullptr : &found->second;
}

std::size_t WantedSessions::drop(WantedSession number) {
  const auto found = open_.find(number);
  return found == open_.end() ? 0 : forget(end(found).datagrams);
}

std::size_t WantedSessions::deny(WantedSession number) {
  const auto found = open_.find(number);
  if (found == open_.end()) return 0;
  Question question = end(found);
  if (denied_.size() >= options_.max_wanted) pardon(denied_.begin());
  by_id_.emplace(copy_of(question.id.bytes()), number);
  denied_.emplace(number, Denied{std::move(question.id), question.deadline});
  return forget(question.datagrams);
}

void WantedSessions::release(Bytes id) {
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return;
  if (const auto denied = denied_.find(known->second); denied != denied_.end()) {
    return pardon(denied);
  }
  Question question = end(open_.find(known->second));
  std::ranges::move(question.datagrams, std::back_inserter(released_));
}

std::optional<WaitingDatagram> WantedSessions::take_released() {
  if (released_.empty()) return std::nullopt;
  WaitingDatagram first = std::move(released_.front());
  released_.pop_front();
  bytes_ -= cost(first.bytes);
  return first;
}

WantedSessions::Question WantedSessions::end(std::map<WantedSession, Question>::iterator at) {
  Question question = std::move(at->second);
  by_id_.erase(by_id_.find(question.id.bytes()));
  open_.erase(at);
  return question;
}

std::size_t WantedSessions::forget(const std::vector<WaitingDatagram>& datagrams) {
  for (const WaitingDatagram& datagram : datagrams) bytes_ -= cost(datagram.bytes);
  return datagrams.size();
}

void WantedSessions::pardon(std::map<WantedSession, Denied>::iterator at) {
  by_id_.erase(by_id_.find(at->second.id.bytes()));
  denied_.erase(at);
}

}  // namespace sluice::dtls::endpoint
