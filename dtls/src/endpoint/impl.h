// The endpoint behind its facade.
#pragma once

#include <unordered_map>

#include <sluice/dtls/endpoint.h>

#include "crypto/keyed_hash.h"
#include "endpoint/glance.h"
#include "endpoint/host_counts.h"
#include "endpoint/slot_table.h"
#include "endpoint/timer_queue.h"

namespace sluice::dtls {

class Endpoint::Impl {
 public:
  Impl(const EndpointOptions& options, Environment& environment, std::optional<Listener> listener,
       crypto::KeyedHash hash);

  // Inputs, as in Endpoint.
  Result<ConnectionHandle> connect(ConfigPtr config, const UdpPath& path, Instant now,
                                   const std::optional<ResumableSession>& session);
  Pending handle_datagram(MutableBytes datagram, const UdpPath& path, Instant now);
  Pending handle_timeout(Instant now);
  Result<Pending> close(ConnectionHandle handle, Instant now);
  Pending close_all(Instant now);
  Result<Pending> abort(ConnectionHandle handle);
  Connection* begin_input(ConnectionHandle handle);
  Result<Pending> end_input(ConnectionHandle handle, const Result<Pending>& outcome);
  SendResult seal(ConnectionHandle handle, Bytes application_data, MutableBytes out);

  // Outputs (impl_outputs.cc).
  std::optional<EndpointData> poll_data();
  std::optional<EndpointEvent> poll_event();
  std::optional<EndpointTransmit> poll_transmit(MutableBytes out);
  [[nodiscard]] std::optional<Instant> next_timeout() const { return timers_.next(); }

  // Null for a handle that isn't good.
  [[nodiscard]] const endpoint::Slot* slot_of(ConnectionHandle handle) const;
  [[nodiscard]] std::optional<ConnectionHandle> find(const UdpPath& path) const;
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t half_open() const { return half_open_.size(); }
  [[nodiscard]] const EndpointStatistics& statistics() const { return statistics_; }
  [[nodiscard]] const ListenerStatistics& listener_statistics() const;

 private:
  using Slot = endpoint::Slot;
  using SlotNumber = endpoint::SlotNumber;
  using Glance = endpoint::Glance;
  static constexpr SlotNumber kNoSlot = endpoint::kNoSlot;

  [[nodiscard]] std::uint64_t hash_of(const UdpPath& path) const;
  [[nodiscard]] SlotNumber find(const UdpPath& path, std::uint64_t hash) const;

  // A new connection's place, not yet found by anybody.
  SlotNumber take_slot(const UdpPath& path, Instant now);
  // Has datagrams from its address found it, in the place of none.
  void enter_index(SlotNumber number);
  void deliver(SlotNumber number, MutableBytes datagram, Instant now);
  // For one of two connections at the same address, but nothing says for which.
  void deliver_to_either(SlotNumber connected, SlotNumber challenger, MutableBytes datagram,
                         Instant now);
  // After each input to a connection: what it has to be polled, and what has become of it. `reason`
  // is why, if it has ended in order.
  void settle(SlotNumber number, const Result<Pending>& outcome, EndReason reason);
  void set_timer(SlotNumber number);
  void on_connected(SlotNumber number);
  void end(SlotNumber number, EndReason reason, const Error* error = nullptr);
  void leave_half_open(SlotNumber number);
  [[nodiscard]] Pending pending();

  // Peers that begin (impl_strangers.cc).
  void on_hello(SlotNumber known, const Glance& glance, MutableBytes datagram, std::uint64_t hash,
                Instant now);
  void on_stranger(Bytes datagram, const UdpPath& path, std::uint64_t hash, Instant now);
  void admit(Admission admission, const UdpPath& path, std::uint64_t hash, Instant now);
  void accept(Admission admission, SlotNumber connected, const UdpPath& path, Instant now);
  // The one of `known` and its rival that this is the hello of, or kNoSlot.
  [[nodiscard]] SlotNumber find_hello(SlotNumber known, std::uint32_t hello, Instant now) const;
  [[nodiscard]] bool is_repetition(const Slot& slot, std::uint32_t hello, Instant now) const;
  // Why one more can't be let in. Makes room if it may.
  std::optional<Refusal> refuse(const UdpEndpoint& peer, bool is_challenger, Instant now);

  void stop_transmitting(SlotNumber number);
  void release_if_done(SlotNumber number);

  EndpointOptions options_;
  Environment* environment_;
  std::optional<Listener> listener_;
  crypto::KeyedHash hash_;

  endpoint::SlotTable slots_;
  std::unordered_map<SlotNumber, Error> errors_;  // that connections have ended with
  endpoint::SlotIndex by_path_;
  endpoint::TimerQueue timers_;
  endpoint::HostCounts connections_of_hosts_;
  endpoint::HostCounts half_open_of_hosts_;
  endpoint::SlotList<&Slot::half_open> half_open_;  // by age
  std::size_t size_ = 0;
  EndpointStatistics statistics_;

  // Outputs that wait to be polled.
  struct Reply {
    Bytes datagram;  // the Listener's
    UdpPath path;
  };
  std::optional<Reply> reply_;
  endpoint::SlotList<&Slot::events> events_;
  endpoint::SlotList<&Slot::transmits> transmits_;
  SlotNumber data_ = kNoSlot;
  Buffer copy_;  // of a datagram that may be another connection's
  std::optional<Instant> reported_timeout_;
};

}  // namespace sluice::dtls
