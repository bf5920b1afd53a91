// A store of live sessions behind a network, in virtual time: slow, full, gone.
#pragma once

#include <sluice/dtls/clock.h>
#include <sluice/session_stores/memory_store.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <utility>

#include "support/bytes.h"

namespace sluice::test {

// What happens when. Time jumps from one happening to the next.
class Schedule {
 public:
  explicit Schedule(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] dtls::Instant now() const { return now_; }
  void plan(dtls::Duration delay, std::function<void()> what) {
    happenings_.emplace(now_ + delay, std::move(what));
  }
  [[nodiscard]] dtls::Instant next() const {
    return happenings_.empty() ? dtls::Instant::max() : happenings_.begin()->first;
  }
  void advance(dtls::Instant to) { now_ = std::max(now_, to); }
  // The first one, at its time.
  void happen() {
    auto first = happenings_.extract(happenings_.begin());
    advance(first.key());
    first.mapped()();
  }

  bool chance(double probability) {
    return std::uniform_real_distribution<>(0, 1)(random_) < probability;
  }
  dtls::Duration between(dtls::Duration least, dtls::Duration most) {
    return dtls::Duration{
        std::uniform_int_distribution<dtls::Duration::rep>(least.count(), most.count())(random_)};
  }
  std::uint64_t number() { return random_(); }

 private:
  std::mt19937_64 random_;
  dtls::Instant now_{};
  std::multimap<dtls::Instant, std::function<void()>> happenings_;
};

// The way from all servers to one store. Requests and answers take time; when the way breaks, those
// under way are lost, whether the store had carried them out or not.
class SharedStore {
 public:
  using Outcome = session_stores::Outcome;
  using OnOutcome = std::function<void(const Outcome&)>;

  SharedStore(Schedule& schedule, std::size_t max_sessions)
      : schedule_(schedule),
        store_(session_stores::make_memory_store(session_stores::make_shared_sessions(max_sessions),
                                                 {.clock = &seconds})) {
    clock() = &schedule;
  }

  // `carried_out` is called when the store does it, of which the server knows nothing; `answered`
  // when the server has the answer.
  void put(dtls::Buffer id, dtls::Buffer session, std::chrono::seconds lifetime,
           const OnOutcome& carried_out, const OnOutcome& answered) {
    ask(
        [this, id = std::move(id), session = std::move(session), lifetime] {
          const dtls::Bytes name(id);
          return accepted(store_->put(
              {},
              {.connection_ids = std::span(&name, 1), .session = session, .lifetime = lifetime}));
        },
        carried_out, answered);
  }
  void take(dtls::Buffer id, const OnOutcome& carried_out, const OnOutcome& answered) {
    ask([this, id = std::move(id)] { return accepted(store_->take({}, id)); }, carried_out,
        answered);
  }
  std::size_t count() {
    return std::get<session_stores::CountDone>(accepted(store_->count({}))).sessions;
  }

  void be_good() { most_ = std::chrono::milliseconds{10}, is_gone_ = false; }
  void be_slow() { most_ = std::chrono::seconds{5}; }
  void go() { is_gone_ = true, ++breaks_; }
  // Requests without an answer.
  [[nodiscard]] std::size_t pending() const { return pending_; }

 private:
  using Failed = session_stores::Failed;
  using StoreError = session_stores::StoreError;

  // The store takes a function, not an object.
  static const Schedule*& clock() {
    static const Schedule* clock = nullptr;
    return clock;
  }
  static std::int64_t seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(clock()->now().time_since_epoch())
        .count();
  }
  // The memory store completes at once.
  Outcome accepted(const session_stores::LiveSessionStore::Accepted& request) {
    return request ? store_->poll().value().outcome : Outcome(Failed{request.error()});
  }

  void ask(const std::function<Outcome()>& carry_out, const OnOutcome& carried_out,
           const OnOutcome& answered) {
    ++pending_;
    const auto answer = [this, answered](const Outcome& outcome) {
      --pending_;
      answered(outcome);
    };
    const auto one_way = schedule_.between({}, most_);
    if (is_gone_) {
      return schedule_.plan(one_way, [answer] { answer(Failed{StoreError::unavailable}); });
    }
    schedule_.plan(one_way, [this, answer, carry_out, carried_out, one_way, breaks = breaks_] {
      if (breaks != breaks_) return answer(Failed{StoreError::outcome_unknown});
      const Outcome outcome = carry_out();
      carried_out(outcome);
      schedule_.plan(one_way, [this, answer, outcome, breaks] {
        answer(breaks == breaks_ ? outcome : Failed{StoreError::outcome_unknown});
      });
    });
  }

  Schedule& schedule_;
  std::unique_ptr<session_stores::LiveSessionStore> store_;
  dtls::Duration most_ = std::chrono::milliseconds{10};
  bool is_gone_ = false;
  unsigned breaks_ = 0;
  std::size_t pending_ = 0;
};

}  // namespace sluice::test
