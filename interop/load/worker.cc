#include "load/worker.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <span>

#include "common/clock.h"

namespace sluice::interop::load {
namespace {

// The name of the work queue among those of members.
constexpr std::uint64_t kWork = std::numeric_limits<std::uint64_t>::max();
// Times that a socket is read before the others have their turn.
constexpr std::size_t kMaxBatches = 4;

bool watch(int epoll, int descriptor, std::uint64_t name) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = name}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

}  // namespace

tl::expected<std::unique_ptr<Worker>, std::string> Worker::start(const WorkerOptions& options) {
  auto environment = dtls::Environment::make();
  if (!environment) return tl::unexpected(dtls::to_string(environment.error()));
  udp::Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) return tl::unexpected<std::string>("epoll_create1 failed");
  auto wake = common::WorkQueue<Work>::open();
  if (!wake) return tl::unexpected(wake.error());
  if (!watch(epoll.number(), wake->number(), kWork)) {
    return tl::unexpected<std::string>("epoll_ctl failed");
  }
  return std::unique_ptr<Worker>{
      new Worker(options, *std::move(environment), std::move(epoll), *std::move(wake))};
}

Worker::Worker(const WorkerOptions& options, dtls::Environment environment, udp::Descriptor epoll,
               udp::Descriptor wake)
    : options_(options),
      environment_(std::move(environment)),
      epoll_(std::move(epoll)),
      work_(std::move(wake)),
      buffer_(std::make_shared<udp::ReceiveBuffer>()),
      random_(options.seed),
      lost_(options.loss),
      thread_([this] { loop(); }) {}

Worker::~Worker() {
  ends_ = true;
  work_.wake();
  thread_.join();
}

udp::SocketOptions Worker::socket_options() const {
  return {.reports_local_address = false, .shared_buffer = buffer_};
}

// ---- the loop

void Worker::loop() {
  while (!ends_) {
    wait();
    fire_timers();
  }
}

void Worker::wait() {
  int timeout = -1;
  if (!timers_.empty()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - common::now());
    timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1000));
  }
  std::array<epoll_event, 64> events{};
  const int count =
      epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()), timeout);
  for (const auto& event : std::span(events).first(static_cast<std::size_t>(std::max(count, 0)))) {
    if (event.data.u64 == kWork) {
      for (const Work& work : work_.take()) work(*this);
    } else {
      on_readable(MemberId{static_cast<std::uint32_t>(event.data.u64)});
    }
  }
}

void Worker::on_readable(MemberId id) {
  const auto found = members_.find(id);
  // It has left by the work before this event.
  if (found == members_.end()) return;
  Member& member = found->second;
  for (std::size_t i = 0; i < kMaxBatches; ++i) {
    const auto received = member.socket.receive();
    const auto now = common::now();
    for (const udp::Received& datagram : received) {
      if (!loses()) member.client->handle_datagram(datagram.bytes, datagram.path.peer, now);
    }
    if (received.size() < udp::Socket::kBatch) break;
  }
  settle(id, member);
}

void Worker::fire_timers() {
  // Those that are due at this moment: a client that is always due does not stop the others.
  const auto until = common::now();
  std::vector<MemberId> due;
  for (const auto& [time, id] : timers_) {
    if (time > until) break;
    due.push_back(id);
  }
  for (const MemberId id : due) {
    Member& member = members_.at(id);
    member.client->handle_timeout(common::now());
    settle(id, member);
  }
}

void Worker::settle(MemberId id, Member& member) {
  for (const Outgoing& outgoing : member.client->take()) {
    if (loses()) continue;
    auto room = batch_.room(outgoing.bytes.size());
    if (room.empty()) {
      member.socket.send(batch_);
      batch_.clear();
      room = batch_.room(outgoing.bytes.size());
    }
    std::ranges::copy(outgoing.bytes, room.begin());
    batch_.commit(outgoing.bytes.size(), {.peer = outgoing.peer});
  }
  member.socket.send(batch_);
  batch_.clear();
  const auto next = member.client->next_timeout();
  if (next == member.scheduled) return;
  if (member.scheduled) timers_.erase({*member.scheduled, id});
  if (next) timers_.emplace(*next, id);
  member.scheduled = next;
}

// ---- work

tl::expected<void, std::string> Worker::join(Joining joining) {
  const auto now = common::now();
  auto session = MediaSession::make(joining.setup, environment_, now);
  if (!session) return tl::unexpected(session.error());
  if (!watch(epoll_.number(), joining.socket.descriptor(),
             static_cast<std::uint32_t>(joining.id))) {
    return tl::unexpected<std::string>("epoll_ctl failed");
  }
  Member member{.socket = std::move(joining.socket), .client = {}, .posted_at = joining.posted_at};
  if (auto* streams = std::get_if<std::vector<PublishedStream>>(&joining.role)) {
    auto made = std::make_unique<Publisher>(*std::move(session), std::move(*streams));
    member.publisher = made.get();
    member.client = std::move(made);
  } else {
    auto made =
        std::make_unique<Viewer>(*std::move(session), std::get<ViewerOptions>(joining.role));
    member.viewer = made.get();
    member.client = std::move(made);
  }
  const auto added = members_.emplace(joining.id, std::move(member)).first;
  settle(joining.id, added->second);
  return {};
}

void Worker::leave(MemberId id, bool vanishes) {
  const auto found = members_.find(id);
  if (found == members_.end()) return;
  if (!vanishes) {
    found->second.client->close(common::now());
    settle(id, found->second);
  }
  if (found->second.scheduled) timers_.erase({*found->second.scheduled, id});
  members_.erase(found);  // closes the socket, which epoll then forgets
}

std::optional<MemberReport> Worker::report_of(MemberId id) const {
  const auto found = members_.find(id);
  if (found == members_.end()) return std::nullopt;
  return report_of(id, found->second, {});
}

void Worker::stop_publishers() {
  for (auto& [id, member] : members_) {
    if (member.publisher == nullptr) continue;
    member.publisher->stop();
    settle(id, member);
  }
}

std::size_t Worker::connecting() const {
  return static_cast<std::size_t>(std::ranges::count_if(members_, [](const auto& entry) {
    const MediaSession& session = entry.second.client->session();
    return !session.connected_at() && session.end().empty();
  }));
}

Traffic Worker::traffic() const {
  Traffic traffic;
  for (const auto& [id, member] : members_) {
    if (member.viewer != nullptr) traffic.add(member.viewer->traffic());
  }
  return traffic;
}

MemberReport Worker::report_of(MemberId id, const Member& member, const SentPackets& sent) {
  const MediaSession& session = member.client->session();
  MemberReport report{.id = id,
                      .is_publisher = member.publisher != nullptr,
                      .end = session.end(),
                      .socket = member.socket.statistics(),
                      .dropped_unread = member.socket.dropped_unread()};
  if (const auto at = session.connected_at()) {
    report.connected_after = *at - member.posted_at;
    report.connected_for = common::now() - *at;
  }
  if (const Viewer* viewer = member.viewer) {
    if (const auto at = viewer->first_packet_at()) {
      report.first_packet_after = *at - member.posted_at;
    }
    report.received = viewer->counts(sent);
    report.streams = viewer->streams();
    report.unexpected = viewer->unexpected();
    return report;
  }
  report.sent = member.publisher->sent();
  report.lost_on_the_way = member.publisher->lost_on_the_way();
  report.key_frames_asked = member.publisher->key_frames_asked();
  for (const auto& source : member.publisher->sources()) {
    report.sent_bytes += source->payload_bytes();
    report.key_frames += source->key_frames();
    report.skipped_frames += source->skipped_frames();
  }
  return report;
}

std::vector<MemberReport> Worker::report(const SentPackets& sent) const {
  std::vector<MemberReport> all;
  all.reserve(members_.size());
  for (const auto& [id, member] : members_) all.push_back(report_of(id, member, sent));
  return all;
}

}  // namespace sluice::interop::load
