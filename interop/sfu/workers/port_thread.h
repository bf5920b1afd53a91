// The thread that has the port of a server with several workers.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <thread>

#include <sluice/tcp/driver.h>

#include "common/lite/lite_port.h"
#include "sfu/workers/exchange.h"
#include "sfu/workers/steering.h"

namespace sluice::interop::sfu {

// Reads the UDP socket and the connections of TCP, and hands each datagram over to its worker. The
// workers send by UDP themselves; what leaves over TCP comes back here.
class PortThread {
 public:
  using Driver = tcp::Driver<Steering>;

  // `exchange` outlives it.
  PortThread(Driver driver, Exchange& exchange);
  // stop()
  ~PortThread() = default;
  PortThread(const PortThread&) = delete;
  PortThread& operator=(const PortThread&) = delete;

  // ---- before start()

  // The worker has a session on this path.
  void claim(const dtls::UdpPath& path, std::size_t worker);
  // Takes what workers have pushed to it.
  void take_from_workers();

  void start();
  // What has not been read by then stays in the sockets.
  void stop() { thread_ = {}; }
  [[nodiscard]] AdoptedSockets sockets();

 private:
  void run(const std::stop_token& stop);
  void wait(const std::stop_token& stop);
  [[nodiscard]] bool has_next() const;

  Driver driver_;
  Exchange& exchange_;
  std::jthread thread_;  // the last one: it ends first
};

}  // namespace sluice::interop::sfu
