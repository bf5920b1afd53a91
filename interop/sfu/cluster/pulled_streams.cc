#include "sfu/cluster/pulled_streams.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

#include "common/clock.h"

namespace sluice::interop::sfu {
namespace {

// Times that a socket is read before the others have their turn.
constexpr std::size_t kMaxBatches = 4;
// Between two looks at who is watched: they cost as much as there are publishers, and turns are
// many.
constexpr std::chrono::milliseconds kLook{100};

}  // namespace

tl::expected<PulledStreams, std::string> PulledStreams::make(const TrackOptions& options,
                                                             dtls::Environment& environment,
                                                             SfuIdentity identity) {
  udp::Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) return tl::unexpected<std::string>("epoll_create1 failed");
  return PulledStreams(options, environment, std::move(identity), std::move(epoll));
}

tl::expected<void, std::string> PulledStreams::add(PullSetup setup, udp::Socket socket,
                                                   dtls::Instant now) {
  if (entries_.size() >= kMost) return tl::unexpected<std::string>("too many streams are pulled");
  if (streams().contains(setup.origin.id)) {
    return tl::unexpected<std::string>("the stream is pulled already");
  }
  auto upstream = Upstream::make(std::move(setup), options_, *environment_, now);
  if (!upstream) return tl::unexpected(upstream.error());
  auto entry = std::make_unique<Entry>(Entry{std::move(socket), *std::move(upstream)});
  epoll_event event{.events = EPOLLIN, .data = {.ptr = entry.get()}};
  if (epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, entry->socket.descriptor(), &event) != 0) {
    return tl::unexpected<std::string>("epoll_ctl failed");
  }
  entries_.push_back(std::move(entry));
  return {};
}

std::set<std::string> PulledStreams::streams() const {
  std::set<std::string> ids;
  for (const auto& entry : entries_) ids.insert(entry->upstream->origin().id);
  return ids;
}

void PulledStreams::end_all(Sfu& sfu, dtls::Instant now) {
  for (const auto& entry : entries_) {
    entry->upstream->end(sfu, now);
    send(*entry);
    leave_epoll(*entry);
  }
  entries_.clear();
}

// To close the socket is not enough: a process that is begun meanwhile has it until its exec().
void PulledStreams::leave_epoll(const Entry& entry) {
  static_cast<void>(epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, entry.socket.descriptor(), nullptr));
}

void PulledStreams::tell(const Upstream& upstream) {
  const std::scoped_lock lock(observer_->mutex);
  if (observer_->on_change) observer_->on_change(upstream.origin(), upstream.ended());
}

std::optional<dtls::Instant> PulledStreams::next_timeout() const {
  std::optional<dtls::Instant> next;
  for (const auto& entry : entries_) {
    next = common::earlier(next, entry->upstream->next_timeout());
    if (!entry->unwanted_since) continue;
    next = common::earlier(next, std::max(*entry->unwanted_since + kLinger, next_look_));
  }
  return next;
}

void PulledStreams::turn(Sfu& sfu) {
  if (entries_.empty()) return;
  std::array<epoll_event, 64> events{};
  const int count = epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()), 0);
  for (const auto& event : std::span(events).first(static_cast<std::size_t>(std::max(count, 0)))) {
    receive(*static_cast<Entry*>(event.data.ptr), sfu);
  }
  const auto now = common::now();
  const bool looks = now >= next_look_;
  if (looks) next_look_ = now + kLook;
  for (const auto& entry : entries_) {
    const auto next = entry->upstream->next_timeout();
    if (next && *next <= now) entry->upstream->handle_timeout(sfu, now);
    if (looks) end_unwanted(*entry, sfu, now);
    send(*entry);
  }
  for (auto& entry : entries_) {
    const Upstream& upstream = *entry->upstream;
    if (upstream.ended().empty()) {
      const bool is_new = upstream.publisher() != nullptr && !entry->is_connected;
      entry->is_connected = upstream.publisher() != nullptr;
      if (is_new) tell(upstream);
      continue;
    }
    leave_epoll(*entry);
    const auto ended = std::move(entry);
    tell(*ended->upstream);
  }
  std::erase(entries_, nullptr);
}

void PulledStreams::receive(Entry& entry, Sfu& sfu) {
  for (std::size_t i = 0; i < kMaxBatches; ++i) {
    const auto received = entry.socket.receive();
    const auto now = common::now();
    for (const udp::Received& datagram : received) {
      entry.upstream->handle_datagram(datagram.bytes, datagram.path.peer, sfu, now);
    }
    sfu.forward_pulled(now);  // before the next batch takes their place
    if (received.size() < udp::Socket::kBatch) break;
  }
}

void PulledStreams::send(Entry& entry) {
  for (const Outgoing& outgoing : entry.upstream->take()) {
    auto room = batch_.room(outgoing.bytes.size());
    if (room.empty()) {
      entry.socket.send(batch_);
      batch_.clear();
      room = batch_.room(outgoing.bytes.size());
    }
    std::ranges::copy(outgoing.bytes, room.begin());
    batch_.commit(outgoing.bytes.size(), {.peer = outgoing.peer});
  }
  if (batch_.empty()) return;
  entry.socket.send(batch_);
  batch_.clear();
}

void PulledStreams::end_unwanted(Entry& entry, Sfu& sfu, dtls::Instant now) {
  const Publisher* const publisher = entry.upstream->publisher();
  if (publisher == nullptr || sfu.is_wanted(*publisher)) {
    entry.unwanted_since.reset();
    return;
  }
  if (!entry.unwanted_since) entry.unwanted_since = now;
  if (now - *entry.unwanted_since >= kLinger) entry.upstream->end(sfu, now);
}

}  // namespace sluice::interop::sfu
