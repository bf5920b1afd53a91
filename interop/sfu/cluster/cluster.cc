#include "sfu/cluster/cluster.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

#include "common/random_numbers.h"
#include "sfu/cluster/worker_question.h"

namespace sluice::interop::sfu {
namespace {

// Requests to other nodes at a time.
constexpr std::size_t kPullThreads = 4;
// Streams that are looked for at a time.
constexpr std::size_t kMostAttempts = 256;
// The next round while a viewer waits.
constexpr std::chrono::milliseconds kHurry{200};
// From an attempt to pull a stream to the next one.
constexpr std::chrono::milliseconds kFirstPause{300};
constexpr std::chrono::milliseconds kLongestPause{5000};
// Between two rounds, however many viewers wait.
constexpr std::chrono::milliseconds kLeastPause{50};
// The worker has a stream that was pulled a moment ago.
constexpr std::chrono::milliseconds kSettling{1000};
constexpr std::size_t kShownId = 8;

// The candidates of each stream, those that have come over few nodes first. Among equals by chance,
// so that they share the work.
std::map<std::string, std::vector<StreamEntry>> by_stream(const std::vector<StreamEntry>& entries) {
  std::map<std::string, std::vector<StreamEntry>> streams;
  for (const StreamEntry& entry : entries) streams[entry.stream].push_back(entry);
  std::minstd_rand random(common::random_u32());
  for (auto& [id, candidates] : streams) {
    std::ranges::shuffle(candidates, random);
    std::ranges::sort(candidates, {}, &StreamEntry::depth);
  }
  return streams;
}

}  // namespace

Cluster::Cluster(ClusterOptions options, MediaThreads& media)
    : options_(std::move(options)), media_(media) {}

void Cluster::begin(const std::string& url) {
  options_.puller.node = url;
  puller_.emplace(options_.puller, media_);
  registry_.emplace(options_.redis, options_.prefix, url);
  pulls_ = std::make_unique<httplib::ThreadPool>(kPullThreads);
  observe(
      [this](const StreamOrigin& stream, const std::string& ended) { on_change(stream, ended); });
  thread_ = std::thread([this] { run(); });
  has_begun_ = true;
}

Cluster::~Cluster() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  pulls_end_.request_stop();
  thread_.join();
  pulls_->shutdown();
  observe({});  // the workers' threads call no more then
}

void Cluster::observe(const PulledStreams::OnChange& on_change) {
  for (std::size_t worker = 0; worker < media_.workers(); ++worker) {
    media_.pulled(worker)->observe(on_change);
  }
}

// ---- from any thread

StreamRequest Cluster::request(std::string room, std::string stream, std::string node) const {
  return {.room = std::move(room),
          .stream = std::move(stream),
          .node = std::move(node),
          .self = options_.puller.node,
          .max_depth = options_.puller.max_depth,
          .fan_out = options_.fan_out};
}

Cluster::Found Cluster::find(const std::string& room) {
  std::unique_lock lock(mutex_);
  const std::uint64_t since = rounds_;
  ++wanted_[room];
  is_woken_ = true;
  changed_.notify_all();
  const auto outcome = [&]() -> std::optional<Found> {
    const auto found = outcomes_.find(room);
    return found != outcomes_.end() && found->second.round > since ? found->second.found
                                                                   : std::nullopt;
  };
  const bool is_known =
      changed_.wait_for(lock, kFindLimit, [&] { return ends_ || outcome().has_value(); });
  const Found result =
      is_known && !ends_ ? outcome().value_or(Found::unreachable) : Found::unreachable;
  if (--wanted_[room] == 0) {
    wanted_.erase(room);
    outcomes_.erase(room);
  }
  return result;
}

void Cluster::wake() {
  {
    const std::scoped_lock lock(mutex_);
    is_woken_ = true;
  }
  changed_.notify_all();
}

// ---- the thread

void Cluster::run() {
  for (;;) {
    wait();
    {
      const std::scoped_lock lock(mutex_);
      if (ends_) break;
    }
    round();
  }
  if (!keeps_entries_) registry_->clear();
}

void Cluster::wait() {
  std::unique_lock lock(mutex_);
  // Each round asks the workers and the registry, whatever has woken it.
  changed_.wait_for(lock, kLeastPause, [this] { return ends_; });
  const auto pause = wanted_.empty() ? kHeartbeat : kHurry;
  changed_.wait_for(lock, pause, [this] { return ends_ || is_woken_; });
  is_woken_ = false;
}

void Cluster::round() {
  std::uint64_t number = 0;
  std::set<std::string> rooms;
  {
    const std::scoped_lock lock(mutex_);
    number = ++rounds_;
    for (const auto& [room, count] : wanted_) rooms.insert(room);
  }
  const auto own = look_at_workers();
  if (!own) return;
  std::optional<std::string> error;
  if (const auto put = registry_->put(own->view.streams); !put) error = put.error();
  const std::set<std::string> wanted = rooms;
  rooms.insert(own->view.watched.begin(), own->view.watched.end());
  for (const std::string& room : rooms) {
    const auto found = look_up(room, *own, error);
    if (!wanted.contains(room)) continue;
    const std::scoped_lock lock(mutex_);
    if (wanted_.contains(room)) outcomes_[room] = {number, found};
  }
  note_registry(error);
  changed_.notify_all();
}

std::optional<Cluster::Own> Cluster::look_at_workers() const {
  Own all;
  for (std::size_t worker = 0; worker < media_.workers(); ++worker) {
    auto own = ask_worker<Own>(media_, worker,
                               [&pulled = *media_.pulled(worker)](Sfu& sfu, dtls::Instant) {
                                 return Own{sfu.cluster_view(), pulled.streams()};
                               });
    if (!own) return std::nullopt;
    std::ranges::move(own->view.streams, std::back_inserter(all.view.streams));
    all.view.watched.merge(own->view.watched);
    all.pulled.merge(own->pulled);
  }
  return all;
}

std::optional<Cluster::Found> Cluster::look_up(const std::string& room, const Own& own,
                                               std::optional<std::string>& error) {
  const auto entries = registry_->look_up(room);
  if (!entries) {
    error = entries.error();
    return Found::no_registry;
  }
  begin_pulls(room, *entries, own);
  const bool is_here = std::ranges::any_of(
      own.view.streams, [&](const ClusterView::Stream& each) { return each.room == room; });
  if (is_here) return Found::found;
  return entries->empty() ? std::optional(Found::none) : std::nullopt;
}

void Cluster::begin_pulls(const std::string& room, const std::vector<StreamEntry>& entries,
                          const Own& own) {
  const auto now = Clock::now();
  const std::scoped_lock lock(mutex_);
  std::erase_if(attempts_, [now](const auto& each) {
    return !each.second.is_under_way && each.second.next + 2 * kLongestPause < now;
  });
  for (auto& [stream, candidates] : by_stream(entries)) {
    const bool is_here = own.pulled.contains(stream) ||
                         std::ranges::find(own.view.streams, stream, &ClusterView::Stream::id) !=
                             own.view.streams.end();
    if (is_here || (attempts_.size() >= kMostAttempts && !attempts_.contains(stream))) continue;
    Attempt& attempt = attempts_[stream];
    if (attempt.is_under_way || now < attempt.next) continue;
    attempt.is_under_way = true;
    pulls_->enqueue([this, room, wanted = std::move(candidates)] { pull(room, wanted); });
  }
}

void Cluster::pull(const std::string& room, const std::vector<StreamEntry>& entries) {
  const std::string& stream = entries.front().stream;
  {
    const std::scoped_lock lock(mutex_);
    if (ends_) return;
  }
  const auto pulled = puller_->pull(room, entries, pulls_end_.get_token());
  log(pulled ? LogLevel::info : LogLevel::warning, pulled ? "stream_pulled" : "pull_failed",
      {{"room", room},
       {"stream", stream.substr(0, kShownId)},
       {"node", pulled.value_or("")},
       {"reason", pulled ? "" : pulled.error()}});
  const std::scoped_lock lock(mutex_);
  Attempt& attempt = attempts_[stream];
  attempt.is_under_way = false;
  if (pulled) {
    attempt.next = Clock::now() + kSettling;
  } else {
    put_off(attempt);
  }
}

void Cluster::put_off(Attempt& attempt) {
  attempt.pause = std::clamp(2 * attempt.pause, kFirstPause, kLongestPause);
  attempt.next = Clock::now() + attempt.pause;
}

// ---- what happens to streams, on the thread of their worker

void Cluster::on_change(const StreamOrigin& stream, const std::string& ended) {
  if (!ended.empty()) {
    log(LogLevel::info, "pull_ended",
        {{"stream", stream.id.substr(0, kShownId)},
         {"node", stream.path.front()},
         {"reason", ended}});
  }
  {
    const std::scoped_lock lock(mutex_);
    if (ended.empty()) {
      attempts_.erase(stream.id);
    } else {
      put_off(attempts_[stream.id]);
    }
  }
  wake();
}

// ---- the log

void Cluster::note_registry(const std::optional<std::string>& error) {
  if (error == registry_error_) return;
  registry_error_ = error;
  log(error ? LogLevel::warning : LogLevel::info, error ? "registry_lost" : "registry_found",
      {{"reason", error.value_or("")}});
}

void Cluster::log(LogLevel level, std::string_view event,
                  std::vector<std::pair<std::string_view, std::string>> fields) const {
  if (options_.log) {
    options_.log({.level = level, .event = event, .fields = std::move(fields)});
  }
}

}  // namespace sluice::interop::sfu
