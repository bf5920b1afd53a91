// What a Listener consists of.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sluice/tcp/listener.h>

#include "connection.h"
#include "crypto/keyed_hash.h"
#include "frame_batch.h"
#include "table/host_counts.h"
#include "table/slot_pool.h"

namespace sluice::tcp {

class Listener::Impl {
 public:
  // The error names the option that is wrong.
  static tl::expected<std::unique_ptr<Impl>, std::string> make(dtls::Environment& environment,
                                                               const ListenerOptions& options);
  Impl(const ListenerOptions& options, dtls::crypto::KeyedHash keyed);
  // As Listener::open().
  tl::expected<void, std::string> open(const dtls::SocketAddress& address);
  // On a socket that is bound.
  tl::expected<void, std::string> listen(udp::Descriptor bound);

  // As in Listener.
  [[nodiscard]] int descriptor() const { return epoll_.number(); }
  [[nodiscard]] int listening() const { return listening_.number(); }
  [[nodiscard]] dtls::UdpEndpoint own() const;
  std::span<const dtls::ReceivedDatagram> receive(dtls::Instant now);
  void confirm(const dtls::UdpPath& path, dtls::Instant now);
  void send(dtls::Bytes datagram, const dtls::UdpPath& path);
  void flush();
  void close(const dtls::UdpPath& path);
  std::optional<Closed> poll_closed();
  void handle_timeout(dtls::Instant now);
  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const;
  [[nodiscard]] std::size_t size() const { return connections_.taken(); }
  [[nodiscard]] std::size_t queued() const { return queued_; }
  [[nodiscard]] const ListenerStatistics& statistics() const { return statistics_; }

 private:
  // ---- connections
  void accept(dtls::Instant now);
  // False: it was refused.
  bool admit(udp::Descriptor descriptor, const dtls::UdpEndpoint& peer, dtls::Instant now);
  void accept_later(dtls::Instant now);
  void watch_listening(std::uint32_t events);
  // kNoSlot: none that is open.
  [[nodiscard]] SlotNumber find(ConnectionHandle handle) const;
  [[nodiscard]] SlotNumber find(const dtls::UdpPath& path) const;
  ConnectionList& list_of(const Connection& connection) {
    return connection.is_confirmed ? confirmed_ : unconfirmed_;
  }
  void remove(SlotNumber number);
  // Removes it and tells.
  void end(SlotNumber number, CloseReason reason);

  // ---- receiving
  void read(SlotNumber number);
  // Takes further datagrams from what was read. False: there is none.
  bool take_datagrams();

  // ---- sending
  void write(SlotNumber number, dtls::Bytes frames);
  // How many bytes the kernel has taken. Empty: the connection has ended.
  std::optional<std::size_t> write_some(const Connection& connection, dtls::Bytes bytes);
  void enqueue(Connection& connection, dtls::Bytes frame, bool has_begun);
  void write_queue(SlotNumber number);
  void watch(SlotNumber number, bool for_room);

  void count(CloseReason reason) { ++statistics_.closed[static_cast<std::size_t>(reason)]; }
  void count(Refusal reason) { ++statistics_.refused[static_cast<std::size_t>(reason)]; }
  void count(SendDrop reason, std::size_t datagrams = 1) {
    statistics_.dropped[static_cast<std::size_t>(reason)] += datagrams;
  }

  ListenerOptions options_;
  dtls::crypto::KeyedHash keyed_;
  ListenerStatistics statistics_;
  udp::Descriptor listening_;
  udp::Descriptor epoll_;
  // While there were no descriptors for another connection.
  std::optional<dtls::Instant> accepts_again_;

  dtls::table::SlotPool<Connection, 64> connections_;
  dtls::table::HostCounts hosts_;
  ConnectionList unconfirmed_;  // the longest unconfirmed first
  ConnectionList confirmed_;    // the one whose last confirm() is the longest ago first
  std::vector<Closed> closed_;  // to be told, from next_closed_ on
  std::size_t next_closed_ = 0;

  static constexpr int kEvents = 64;
  std::array<epoll_event, kEvents> events_ = {};
  std::size_t event_ = 0;  // the next one
  std::size_t events_end_ = 0;

  // What was read last, from which connection, and what is left of it. Empty: nothing is.
  std::vector<std::byte> buffer_;
  std::optional<ConnectionHandle> current_;
  dtls::MutableBytes rest_;
  std::vector<dtls::ReceivedDatagram> received_;
  dtls::Instant latest_ = dtls::Instant::min();

  FrameBatch batch_;
  std::size_t queued_ = 0;
};

}  // namespace sluice::tcp
