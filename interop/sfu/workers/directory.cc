#include "sfu/workers/directory.h"

#include <algorithm>

#include "common/ip_address.h"
#include "sfu/restart/moved_media.h"

namespace sluice::interop::sfu {
namespace {

// A worker that has the room already may have so many sessions more than another: then packets need
// not cross. Rooms for a conversation stay in one piece so, and large ones are spread.
constexpr std::size_t kNearness = 8;

Refused refused(Refusal why, std::string sentence) {
  return {.why = why, .sentence = std::move(sentence)};
}

}  // namespace

// ---- admissions

Admission& Admission::operator=(Admission&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(worker_, other.worker_);
  std::swap(visit_, other.visit_);
  std::swap(made_room_, other.made_room_);
  std::swap(watches_, other.watches_);
  std::swap(ufrags_, other.ufrags_);
  return *this;
}

Admission::~Admission() {
  if (directory_ != nullptr) directory_->leave(*this);
}

void Admission::add_ufrag(const std::string& ufrag) {
  if (directory_ == nullptr || ufrag == ufrags_.first) return;
  directory_->replace_ufrag(ufrags_.second, ufrag, worker_);
  ufrags_.second = std::exchange(ufrags_.first, ufrag);
}

void Admission::watch() {
  if (directory_ == nullptr || std::exchange(watches_, true)) return;
  directory_->begin_watching(*this);
}

// ---- sessions

Directory::Directory(const Limits& limits, std::size_t workers,
                     std::function<void(std::size_t)> wake)
    : limits_(limits),
      workers_(workers),
      wake_(std::move(wake)),
      changes_(workers),
      sessions_of_(workers) {}

std::size_t Directory::place_for(const std::string& room) const {
  if (workers_ == 1) return 0;
  const std::scoped_lock lock(mutex_);
  const auto found = rooms_.find(room);
  const auto cost = [&](std::size_t worker) {
    const bool is_near = found != rooms_.end() && found->second.sessions[worker] > 0;
    return sessions_of_[worker] + (is_near ? 0 : kNearness);
  };
  std::size_t best = 0;
  for (std::size_t worker = 1; worker < workers_; ++worker) {
    if (cost(worker) < cost(best)) best = worker;
  }
  return best;
}

std::optional<Refused> Directory::refusal_of(const Visit& visit) const {
  if (sessions_.size() >= limits_.max_sessions) {
    return refused(Refusal::too_many_sessions, "There are too many sessions.");
  }
  const auto of_address = per_address_.find(common::host_of(visit.address));
  if (of_address != per_address_.end() && of_address->second >= limits_.max_sessions_per_address) {
    return refused(Refusal::too_many_of_address, "There are too many sessions of your address.");
  }
  const auto room = rooms_.find(visit.room);
  const std::size_t publishers = room == rooms_.end() ? 0 : room->second.publishers;
  if (!visit.publishes && publishers == 0) {
    return refused(Refusal::no_publisher, "Nobody publishes in this room.");
  }
  if (room == rooms_.end()) {
    if (rooms_.size() < limits_.max_rooms) return std::nullopt;
    return refused(Refusal::too_many_rooms, "There are too many rooms.");
  }
  if (visit.publishes && publishers >= limits_.max_publishers) {
    return refused(Refusal::too_many_publishers, "As many publish in this room as may: " +
                                                     std::to_string(limits_.max_publishers) + ".");
  }
  if (!visit.publishes && room->second.viewers >= limits_.max_viewers) {
    return refused(Refusal::too_many_viewers, "There are too many viewers in this room.");
  }
  return std::nullopt;
}

tl::expected<Admission, Refused> Directory::admit(std::size_t worker, Visit visit) {
  const std::scoped_lock lock(mutex_);
  if (auto why = refusal_of(visit)) return tl::unexpected(*std::move(why));
  return enter(worker, std::move(visit));
}

Admission Directory::readmit(std::size_t worker, Visit visit) {
  const std::scoped_lock lock(mutex_);
  return enter(worker, std::move(visit));
}

std::map<std::string, Directory::Entry>::iterator Directory::entry_of(const std::string& room) {
  const auto [entry, is_new] = rooms_.try_emplace(room);
  if (is_new) {
    entry->second.watching.resize(workers_);
    entry->second.sessions.resize(workers_);
  }
  return entry;
}

Admission Directory::enter(std::size_t worker, Visit visit) {
  const bool is_new = !rooms_.contains(visit.room);
  const auto room = entry_of(visit.room);
  ++room->second.sessions[worker];
  ++(visit.publishes ? room->second.publishers : room->second.viewers);
  if (visit.is_node) ++room->second.nodes;
  sessions_.emplace(visit.id, worker);
  ++sessions_of_[worker];
  ++per_address_[common::host_of(visit.address)];
  return {*this, worker, std::move(visit), is_new};
}

void Directory::begin_watching(const Admission& admission) {
  const std::scoped_lock lock(mutex_);
  const std::string& room = admission.visit_.room;
  if (++rooms_.at(room).watching[admission.worker_] == 1) note_change(room, admission.worker_);
}

void Directory::leave(const Admission& admission) {
  const std::scoped_lock lock(mutex_);
  const Visit& visit = admission.visit_;
  const auto room = rooms_.find(visit.room);
  --room->second.sessions[admission.worker_];
  --(visit.publishes ? room->second.publishers : room->second.viewers);
  if (visit.is_node) --room->second.nodes;
  if (admission.watches_ && --room->second.watching[admission.worker_] == 0) {
    note_change(visit.room, admission.worker_);
  }
  erase_if_empty(room);
  sessions_.erase(visit.id);
  --sessions_of_[admission.worker_];
  const auto of_address = per_address_.find(common::host_of(visit.address));
  if (--of_address->second == 0) per_address_.erase(of_address);
  ufrags_.erase(admission.ufrags_.first);
  ufrags_.erase(admission.ufrags_.second);
}

void Directory::replace_ufrag(const std::string& gone, const std::string& fresh,
                              std::size_t worker) {
  const std::scoped_lock lock(mutex_);
  ufrags_.erase(gone);
  ufrags_.emplace(fresh, worker);
}

std::optional<std::size_t> Directory::worker_of_session(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> Directory::worker_of_ufrag(std::string_view ufrag) const {
  const std::scoped_lock lock(mutex_);
  const auto found = ufrags_.find(ufrag);
  return found == ufrags_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> Directory::worker_of_stream(const std::string& room,
                                                       const std::string& stream) const {
  const std::scoped_lock lock(mutex_);
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return std::nullopt;
  const auto& all = found->second.published;
  const auto published = std::ranges::find_if(
      all, [&](const Published& each) { return each.state->stream_id == stream; });
  return published == all.end() ? std::nullopt : std::optional(published->worker);
}

// ---- rooms

void Directory::hold_room(const std::string& name, std::size_t worker) {
  const std::scoped_lock lock(mutex_);
  entry_of(name)->second.held_by.insert(worker);
}

void Directory::release_room(const std::string& name, std::size_t worker) {
  const std::scoped_lock lock(mutex_);
  const auto room = rooms_.find(name);
  if (room == rooms_.end()) return;
  room->second.held_by.erase(worker);
  erase_if_empty(room);
}

PublisherNumber Directory::publish(const std::string& room, std::size_t worker,
                                   std::shared_ptr<const MovedPublisher> state) {
  const std::scoped_lock lock(mutex_);
  const PublisherNumber number{++last_publisher_};
  rooms_.at(room).published.push_back(
      {.number = number, .worker = worker, .state = std::move(state)});
  note_change(room, worker);
  return number;
}

void Directory::withdraw(const std::string& room, PublisherNumber publisher) {
  const std::scoped_lock lock(mutex_);
  auto& published = rooms_.at(room).published;
  const auto found = std::ranges::find(published, publisher, &Published::number);
  if (found == published.end()) return;
  const std::size_t worker = found->worker;
  published.erase(found);
  note_change(room, worker);
}

void Directory::open_label(const std::string& room, const std::string& label) {
  const std::scoped_lock lock(mutex_);
  ++rooms_.at(room).labels[label];
}

void Directory::close_label(const std::string& room, const std::string& label, std::size_t worker) {
  const std::scoped_lock lock(mutex_);
  auto& labels = rooms_.at(room).labels;
  const auto found = labels.find(label);
  if (found == labels.end() || --found->second > 0) return;
  labels.erase(found);
  note_change(room, worker);
}

bool Directory::has_label(const std::string& room, const std::string& label) const {
  const std::scoped_lock lock(mutex_);
  const auto found = rooms_.find(room);
  return found != rooms_.end() && found->second.labels.contains(label);
}

std::vector<std::size_t> Directory::workers_of(const std::string& room) const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::size_t> workers;
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return workers;
  for (std::size_t worker = 0; worker < workers_; ++worker) {
    if (found->second.sessions[worker] > 0) workers.push_back(worker);
  }
  return workers;
}

void Directory::note_change(const std::string& room, std::size_t by) {
  for (std::size_t worker = 0; worker < workers_; ++worker) {
    if (worker == by) continue;
    changes_[worker].insert(room);
    has_changes_.at(worker).store(true, std::memory_order_release);
    if (wake_) wake_(worker);
  }
}

std::set<std::string> Directory::take_changes(std::size_t worker) {
  const std::scoped_lock lock(mutex_);
  has_changes_.at(worker).store(false, std::memory_order_relaxed);
  return std::exchange(changes_.at(worker), {});
}

RoomView Directory::view_of(const std::string& room) const {
  const std::scoped_lock lock(mutex_);
  RoomView view;
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return view;
  view.published = found->second.published;
  for (std::size_t worker = 0; worker < workers_; ++worker) {
    if (found->second.watching[worker] > 0) view.watching.push_back(worker);
  }
  return view;
}

bool Directory::has_viewers(const std::string& room) const {
  const std::scoped_lock lock(mutex_);
  const auto found = rooms_.find(room);
  return found != rooms_.end() && found->second.viewers > found->second.nodes;
}

void Directory::erase_if_empty(std::map<std::string, Entry>::iterator room) {
  const Entry& entry = room->second;
  const bool is_used = entry.publishers > 0 || entry.viewers > 0 || !entry.published.empty();
  if (!is_used && entry.held_by.empty()) rooms_.erase(room);
}

}  // namespace sluice::interop::sfu
