// The outputs of a connection, except application data, and the checks of its paths.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <sluice/dtls/event.h>
#include <sluice/dtls/path.h>

#include "connection/path_checks.h"
#include "message/alert.h"
#include "record/future_record.h"
#include "wire/types.h"

namespace sluice::dtls::connection {

struct QueuedAlert {
  message::AlertMessage message;
  wire::Epoch epoch{};
  std::optional<PathId> path = {};  // empty: the connection's path at the time of sending
};

// Uses memory only while it is not empty, because most connections have none of it most of the
// time.
class Outputs {
 public:
  // Replaces an alert that was queued before.
  void queue(const QueuedAlert& alert) { held().alert = alert; }
  // Null if no alert is queued.
  [[nodiscard]] const QueuedAlert* alert() const {
    return held_ != nullptr && held_->alert ? &*held_->alert : nullptr;
  }
  void drop_alert() { held_->alert.reset(); }

  // One of the alternatives of Event, or an Event.
  template <class OneEvent>
  void add(OneEvent&& event) {
    held().events.emplace_back(std::forward<OneEvent>(event));
  }
  // Makes room for so many more.
  void reserve_events(std::size_t count) { held().events.reserve(held().events.size() + count); }
  // In place of one that was not polled yet.
  void add_path_change(PathId from, PathId to) {
    for (Event& event : held().events) {
      if (auto* earlier = std::get_if<PathChanged>(&event)) {
        earlier->to = to;
        return;
      }
    }
    add(PathChanged{from, to});
  }
  [[nodiscard]] bool has_event() const { return held_ != nullptr && !held_->events.empty(); }
  std::optional<Event> take_event() {
    if (!has_event()) return std::nullopt;
    Event event = std::move(held_->events.front());
    held_->events.erase(held_->events.begin());
    return event;
  }
  // Drops all reports after a failure, because the caller must not rely on them.
  void drop_reports() {
    if (held_ == nullptr) return;
    held_->events.clear();
    held_->unaccepted.clear();
  }

  // Keeps data that a Delivery refers to until the next input: application data from before the
  // peer was accepted, and records that arrived before their keys.
  std::vector<Buffer>& keep_unaccepted(std::vector<Buffer> data) {
    return held().unaccepted = std::move(data);
  }
  void keep_to_replay(std::vector<record::KeptRecords> records) {
    for (auto& kept : records) held().replayed.push_back(std::move(kept));
  }
  // The number of records to be replayed; they have the order in which they were stored.
  [[nodiscard]] std::size_t replayed() const {
    return held_ != nullptr ? held_->replayed.size() : 0;
  }
  [[nodiscard]] record::KeptRecords& replayed(std::size_t index) { return held_->replayed[index]; }
  void drop_delivered() {
    if (held_ == nullptr) return;
    held_->unaccepted.clear();
    held_->replayed.clear();
    held_->is_late = false;
  }

  // Null: no check is under way, and there is nothing to answer.
  [[nodiscard]] PathChecks* path_checks() const {
    return held_ != nullptr ? held_->path_checks.get() : nullptr;
  }
  PathChecks& make_path_checks() {
    auto& checks = held().path_checks;
    if (checks == nullptr) checks = std::make_unique<PathChecks>();
    return *checks;
  }
  void drop_path_checks() {
    if (held_ != nullptr) held_->path_checks.reset();
  }

  // The connection opened while its outputs were polled, perhaps after data and events had been.
  void mark_late() { held().is_late = true; }
  [[nodiscard]] bool is_late() const { return held_ != nullptr && held_->is_late; }
  // What came late stays for one input more.
  void keep_late() {
    held_->replayed.clear();
    held_->is_late = false;
  }

  // The caller is told that next_timeout() is `timeout`; Instant::max(): there is none. Whether
  // that is new.
  bool report_timeout(Instant timeout) {
    if (held_ == nullptr && timeout == Instant::max()) return false;
    const bool is_new = std::exchange(held().reported_timeout, timeout) != timeout;
    release_if_empty();
    return is_new;
  }

  void release_if_empty() {
    if (held_ == nullptr) return;
    if (held_->path_checks != nullptr && held_->path_checks->empty()) held_->path_checks.reset();
    // A timeout keeps the rest for minutes, and an event is large.
    if (held_->events.empty()) held_->events.shrink_to_fit();
    if (held_->empty()) held_.reset();
  }

 private:
  struct Held {
    std::optional<QueuedAlert> alert;
    std::vector<Event> events;  // at most one of each kind
    std::vector<Buffer> unaccepted;
    std::vector<record::KeptRecords> replayed;
    Instant reported_timeout = Instant::max();
    std::unique_ptr<PathChecks> path_checks;
    bool is_late = false;

    [[nodiscard]] bool empty() const {
      return !alert && events.empty() && unaccepted.empty() && replayed.empty() &&
             reported_timeout == Instant::max() && path_checks == nullptr;
    }
  };
  Held& held() {
    if (held_ == nullptr) held_ = std::make_unique<Held>();
    return *held_;
  }

  std::unique_ptr<Held> held_;
};

}  // namespace sluice::dtls::connection
