// Sending: to the kernel what it takes, the rest into bounded queues.
#include <cerrno>

#include <sluice/tcp/framing.h>

#include "failure.h"
#include "impl.h"

namespace sluice::tcp {

void Listener::Impl::send(dtls::Bytes datagram, const dtls::UdpPath& path) {
  if (datagram.size() > kMaxFrame) return count(SendDrop::too_large);
  const SlotNumber number = find(path);
  if (number == kNoSlot) return count(SendDrop::no_connection);
  const auto handle = connections_.handle_of<ConnectionHandle>(number);
  if (batch_.add(handle, datagram)) return;
  flush();
  static_cast<void>(batch_.add(handle, datagram));
}

void Listener::Impl::flush() {
  for (const FrameRun& run : batch_.runs()) {
    const SlotNumber number = find(run.connection);
    if (number != kNoSlot) {
      write(number, run.frames);
      continue;
    }
    for (auto rest = run.frames; !rest.empty(); rest = rest.subspan(first_frame(rest))) {
      count(SendDrop::no_connection);
    }
  }
  batch_.clear();
}

void Listener::Impl::write(SlotNumber number, dtls::Bytes frames) {
  Connection& connection = connections_[number];
  std::size_t written = 0;
  if (connection.queue.empty()) {
    const auto taken = write_some(connection, frames);
    written = taken.value_or(0);
  }
  while (!frames.empty()) {
    const dtls::Bytes frame = frames.first(first_frame(frames));
    frames = frames.subspan(frame.size());
    if (written >= frame.size()) {
      written -= frame.size();
      ++statistics_.sent;
      continue;
    }
    enqueue(connection, frame.subspan(written), written > 0);
    written = 0;
  }
  watch(number, !connection.queue.empty());
}

std::optional<std::size_t> Listener::Impl::write_some(const Connection& connection,
                                                      dtls::Bytes bytes) {
  const ssize_t count = ::send(connection.descriptor.number(), bytes.data(), bytes.size(),
                               MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (udp::is_full(errno) || errno == EINTR) return 0;
  return std::nullopt;
}

void Listener::Impl::enqueue(Connection& connection, dtls::Bytes frame, bool has_begun) {
  // What is left of a frame that has begun to leave fits: the queue is empty (kMaxQueuedAtLeast).
  if (connection.queue.size() + frame.size() > options_.max_queued) {
    return count(SendDrop::queue_full);
  }
  // It must follow: without it the peer would take what comes next for its rest.
  if (!has_begun && queued_ + frame.size() > options_.max_queued_in_all) {
    return count(SendDrop::queue_full_in_all);
  }
  connection.queue.push(frame);
  queued_ += frame.size();
  ++statistics_.queued;
}

void Listener::Impl::write_queue(SlotNumber number) {
  Connection& connection = connections_[number];
  const auto taken = write_some(connection, connection.queue.bytes());
  // What ended it is told by read(), too.
  if (!taken) return;
  statistics_.sent += connection.queue.pop(*taken);
  queued_ -= *taken;
  watch(number, !connection.queue.empty());
}

void Listener::Impl::watch(SlotNumber number, bool for_room) {
  Connection& connection = connections_[number];
  if (connection.waits_for_room == for_room) return;
  connection.waits_for_room = for_room;
  const auto handle = connections_.handle_of<ConnectionHandle>(number);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = static_cast<std::uint64_t>(handle)}};
  if (for_room) event.events |= EPOLLOUT;
  epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, connection.descriptor.number(), &event);
}

}  // namespace sluice::tcp
