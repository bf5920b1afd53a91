#include "tools/waiting_answers.h"

namespace sluice::interop::tools {
namespace {

// An empty answer takes memory, too.
std::size_t cost_of(dtls::Bytes answer) { return answer.size() + sizeof(dtls::Buffer); }

}  // namespace

void WaitingAnswers::add(dtls::ConnectionHandle connection, dtls::Bytes answer) {
  const auto known = waiting_.find(connection);
  const std::size_t present = known == waiting_.end() ? 0 : known->second.bytes;
  const std::size_t cost = cost_of(answer);
  if (present + cost > kMaxOfOne || bytes_ + cost > kMaxOfAll) {
    ++dropped_;
    return;
  }
  Answers& answers = waiting_[connection];
  answers.in_order.emplace_back(answer.begin(), answer.end());
  answers.bytes += cost;
  bytes_ += cost;
}

void WaitingAnswers::send(const Send& send) {
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const auto known = next++;
    Answers& answers = known->second;
    while (!answers.in_order.empty() && send(known->first, answers.in_order.front())) pop(answers);
    if (answers.in_order.empty()) waiting_.erase(known);
  }
}

void WaitingAnswers::forget(dtls::ConnectionHandle connection) {
  const auto ended = waiting_.extract(connection);
  if (ended.empty()) return;
  bytes_ -= ended.mapped().bytes;
  dropped_ += ended.mapped().in_order.size();
}

void WaitingAnswers::pop(Answers& answers) {
  const std::size_t cost = cost_of(answers.in_order.front());
  answers.bytes -= cost;
  bytes_ -= cost;
  answers.in_order.pop_front();
}

}  // namespace sluice::interop::tools
