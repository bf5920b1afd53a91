// Gives each datagram of the port to the worker that has its session.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/path.h>
#include <sluice/ice_lite/ice_lite_server.h>

#include "sfu/workers/directory.h"
#include "sfu/workers/exchange.h"
#include "sfu/workers/path_table.h"

namespace sluice::interop::sfu {

// A check (STUN) goes by the ufrag of its USERNAME; all else by the address pair, which earlier
// checks have told. Nothing is authenticated here: that is the worker's. What names no session
// goes to worker 0 where it is STUN, which answers it or counts it, and is dropped otherwise.
//
// What a tcp::Driver runs, though it has no sessions: to the Driver a path has one where a worker
// has said so.
class Steering {
 public:
  // Both outlive it.
  Steering(const Directory& directory, Exchange& exchange, std::size_t max_paths);

  // ---- for the driver

  void handle_datagram(dtls::MutableBytes datagram, const dtls::UdpPath& path, dtls::Instant now);
  ice_lite::BatchPending handle_datagrams(std::span<const dtls::ReceivedDatagram> datagrams,
                                          dtls::Instant now);
  void path_closed(const dtls::UdpPath& path, dtls::Instant now);
  [[nodiscard]] std::optional<std::size_t> find(const dtls::UdpPath& path) const;
  void handle_timeout(dtls::Instant /*now*/) {}
  static std::optional<ice_lite::Transmit> poll_transmit(dtls::MutableBytes /*out*/) { return {}; }
  [[nodiscard]] static std::optional<dtls::Instant> next_timeout() { return std::nullopt; }

  // ---- for the thread of the port

  // Before the workers run: a session that has moved in is on this path. No more of them than
  // `max_paths` are remembered. False: another worker has one there.
  bool claim(const dtls::UdpPath& path, std::size_t worker, dtls::Instant now) {
    return paths_.claim(path, worker, now);
  }
  // What a worker tells of its paths.
  void take(std::size_t worker, const PortHeader& header, dtls::Instant now);
  // Rings for the workers that have got something.
  void flush();

 private:
  std::optional<std::size_t> owner_of(const dtls::ReceivedDatagram& datagram, dtls::Instant now);
  bool push(std::size_t worker, const PortHeader& header, dtls::Bytes bytes);

  const Directory* directory_;
  Exchange* exchange_;
  PathTable paths_;
  std::vector<bool> has_pushed_;  // by worker
  // Connections whose end could not be told yet, for want of room: no more than there were.
  std::vector<std::pair<std::size_t, dtls::UdpPath>> untold_;
};

}  // namespace sluice::interop::sfu
