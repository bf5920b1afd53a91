#include "tools/snapshot_keeper.h"

#include <algorithm>
#include <utility>

#include "common/clock.h"
#include "common/random_numbers.h"

namespace sluice::interop::tools {
namespace {

// Of random bytes: a name that could be guessed could be sent as a connection ID, and the store
// would give the session out.
constexpr std::size_t kNameSize = 16;
// The requests that the store has under way at most. It bounds the memory that they take, and
// leaves room for the questions for sleeping sessions.
constexpr std::size_t kRequestsAtOnce = 1024;
// The names that wait to be erased. Snapshots above that stay in the store until they expire.
constexpr std::size_t kMaxOver = 65536;

dtls::Buffer make_name() {
  dtls::Buffer name;
  while (name.size() < kNameSize) {
    name.push_back(static_cast<std::byte>(common::random_u32() & 0xff));
  }
  return name;
}

}  // namespace

SnapshotKeeper::SnapshotKeeper(dtls::Endpoint& endpoint, SleepingSessions& sessions, bool takes_all,
                               Report report)
    : endpoint_(endpoint), sessions_(sessions), takes_all_(takes_all), report_(std::move(report)) {}

void SnapshotKeeper::add(dtls::ConnectionHandle connection, dtls::Bytes tag) {
  if (!takes_all_ && tag.empty()) return;
  Session session{.name = {tag.begin(), tag.end()}};
  if (session.name.empty()) {
    session.name = make_name();
    if (!endpoint_.set_tag(connection, session.name)) return;
  }
  session.needs_snapshot = takes_all_;
  by_name_.insert_or_assign(session.name, connection);
  live_.insert_or_assign(connection, std::move(session));
  on_sent(connection);
}

void SnapshotKeeper::remove(dtls::ConnectionHandle connection) {
  const auto left = live_.extract(connection);
  if (!left.empty()) by_name_.erase(left.mapped().name);
  due_.erase(connection);
}

void SnapshotKeeper::on_ended(dtls::ConnectionHandle connection) {
  Session* session = find(connection);
  if (session != nullptr && session->was_put) erase(session->name);
  remove(connection);
}

void SnapshotKeeper::erase(dtls::Buffer name) {
  if (over_.size() >= kMaxOver) {
    ++counts_.left_behind;
    return;
  }
  over_.push_back(std::move(name));
}

void SnapshotKeeper::on_moved(dtls::ConnectionHandle connection) {
  Session* session = find(connection);
  if (session == nullptr || !session->was_put) return;
  session->needs_snapshot = true;
  due_.insert(connection);
}

void SnapshotKeeper::on_sent(dtls::ConnectionHandle connection) {
  const Session* session = find(connection);
  if (session == nullptr) return;
  if (session->needs_snapshot || endpoint_.snapshot_due(connection)) due_.insert(connection);
}

void SnapshotKeeper::keep() {
  while (!over_.empty() && sessions_.pending() < kRequestsAtOnce) {
    erasures_.insert(sessions_.erase(over_.front()));
    over_.pop_front();
  }
  for (auto next = due_.begin(); next != due_.end() && sessions_.pending() < kRequestsAtOnce;) {
    const dtls::ConnectionHandle connection = *next;
    next = due_.erase(next);
    Session* session = find(connection);
    // Where one is on its way, its outcome leads here again.
    if (session != nullptr && !session->is_storing) take(connection, *session);
  }
}

void SnapshotKeeper::take(dtls::ConnectionHandle connection, Session& session) {
  const auto path = endpoint_.path_of(connection);
  auto snapshot = endpoint_.snapshot(connection);
  if (!snapshot || !path) {
    // The connection has ended, or is to be asked again after its next record.
    session.needs_snapshot = true;
    return;
  }
  session.needs_snapshot = false;
  session.is_storing = true;
  session.was_put = true;
  const StoreRequest request = sessions_.put(snapshot->state, path->peer);
  puts_.emplace(request, Put{connection, snapshot->id});
}

bool SnapshotKeeper::on_outcome(const StoreOutcome& outcome) {
  if (const auto put = puts_.extract(outcome.request); !put.empty()) {
    on_put(put.mapped(), outcome.error);
    return true;
  }
  if (erasures_.erase(outcome.request) == 0) return false;
  if (!outcome.error.empty()) {
    ++counts_.left_behind;
    report_("the snapshot of an ended session was not removed: " + outcome.error);
  }
  return true;
}

void SnapshotKeeper::on_put(const Put& put, const std::string& error) {
  Session* session = find(put.connection);
  if (!error.empty()) {
    ++counts_.failed;
    report_("a snapshot was not stored: " + error);
  } else {
    ++counts_.stored;
  }
  if (session == nullptr) return;
  session->is_storing = false;
  if (!error.empty()) {
    // Not at once, or a store that is full would be asked without a pause.
    session->needs_snapshot = true;
    return;
  }
  static_cast<void>(endpoint_.snapshot_stored(put.connection, put.snapshot, common::now()));
  on_sent(put.connection);
}

bool SnapshotKeeper::reclaim(dtls::Bytes tag) {
  const auto known = by_name_.find(dtls::Buffer(tag.begin(), tag.end()));
  if (known == by_name_.end()) return false;
  ++counts_.reclaimed;
  find(known->second)->needs_snapshot = true;
  due_.insert(known->second);
  return true;
}

bool SnapshotKeeper::is_storing(dtls::ConnectionHandle connection) const {
  const auto known = live_.find(connection);
  return known != live_.end() && known->second.is_storing;
}

SnapshotKeeper::Session* SnapshotKeeper::find(dtls::ConnectionHandle connection) {
  const auto known = live_.find(connection);
  return known == live_.end() ? nullptr : &known->second;
}

}  // namespace sluice::interop::tools
