#include "sfu/workers/port_thread.h"

#include <poll.h>

#include <array>
#include <utility>

#include "common/clock.h"

namespace sluice::interop::sfu {

PortThread::PortThread(Driver driver, Exchange& exchange)
    : driver_(std::move(driver)), exchange_(exchange) {}

void PortThread::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

AdoptedSockets PortThread::sockets() {
  return {.udp = driver_.socket().descriptor(), .tcp = driver_.listener().listening()};
}

bool PortThread::has_next() const {
  for (std::size_t worker = 0; worker < exchange_.workers(); ++worker) {
    if (exchange_.to_port(worker).has_next()) return true;
  }
  return false;
}

void PortThread::wait(const std::stop_token& stop) {
  WakeUp& wake_up = exchange_.port_wake_up();
  std::array<pollfd, 2> watched{{{.fd = driver_.descriptor(), .events = POLLIN, .revents = 0},
                                 {.fd = wake_up.descriptor(), .events = POLLIN, .revents = 0}}};
  wake_up.prepare_wait();
  if (!stop.stop_requested() && !has_next()) poll(watched.data(), watched.size(), -1);
  wake_up.finish_wait(watched[1].revents != 0);
}

void PortThread::claim(const dtls::UdpPath& path, std::size_t worker) {
  static_cast<void>(driver_.server().claim(path, worker, common::now()));
}

void PortThread::take_from_workers() {
  for (std::size_t worker = 0; worker < exchange_.workers(); ++worker) {
    auto& queue = exchange_.to_port(worker);
    while (const auto record = queue.next()) {
      if (record->header.kind == PortHeader::Kind::datagram) {
        driver_.listener().send(record->bytes, record->header.path);
      } else {
        driver_.server().take(worker, record->header, common::now());
      }
      queue.release();
    }
  }
}

void PortThread::run(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { exchange_.port_wake_up().notify(); });
  while (!stop.stop_requested()) {
    wait(stop);
    take_from_workers();
    driver_.turn([] {});
    driver_.server().flush();
  }
}

}  // namespace sluice::interop::sfu
