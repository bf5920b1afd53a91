// The data that an Endpoint stores for each connection.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include <sluice/dtls/endpoint.h>

#include "endpoint/tables.h"

namespace sluice::dtls::endpoint {

// A slot's neighbours in a SlotList. No slot is in two lists.
struct Links {
  // The value of `next` in a slot that is in no list.
  static constexpr SlotNumber kApart = kNoSlot - 1;

  SlotNumber previous = kNoSlot;
  SlotNumber next = kApart;
};

// The queues of an Endpoint that a slot may be in.
enum class QueueOf : std::uint8_t { events, transmits };

// A std::optional<Connection> with padding that the next member of a Slot can use.
class OptionalConnection {
 public:
  explicit operator bool() const { return std::holds_alternative<Connection>(value_); }
  // Not to be called when it is empty.
  Connection& operator*() { return *std::get_if<Connection>(&value_); }
  const Connection& operator*() const { return *std::get_if<Connection>(&value_); }
  Connection* operator->() { return std::get_if<Connection>(&value_); }
  const Connection* operator->() const { return std::get_if<Connection>(&value_); }

  void emplace(Connection connection) { value_ = std::move(connection); }
  void reset() { value_ = std::monostate(); }

 private:
  [[no_unique_address]] std::variant<std::monostate, Connection> value_;
};

// The queues that hold the slot.
class QueuedIn {
 public:
  [[nodiscard]] bool holds(QueueOf queue) const { return (bits_ & bit(queue)) != 0; }
  void set(QueueOf queue) { bits_ |= bit(queue); }
  void clear(QueueOf queue) { bits_ &= static_cast<std::uint8_t>(~bit(queue)); }

 private:
  static std::uint8_t bit(QueueOf queue) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(queue));
  }
  std::uint8_t bits_ = 0;
};

// When an association began, in four bytes: to a minute, rounded up. That reaches 4,000 years from
// the clock's start.
using Minutes = std::chrono::duration<std::int32_t, std::chrono::minutes::period>;
constexpr Minutes to_minutes(Instant time) {
  return std::chrono::ceil<Minutes>(
      std::clamp(time.time_since_epoch(), Duration(Minutes::min()), Duration(Minutes::max())));
}

// There may be a million connections, so the members have an order that leaves no padding.
struct Slot {
  // Empty: the slot is free, or the connection has ended and has nothing left to send.
  // no_unique_address: the next member begins in the padding.
  [[no_unique_address]] OptionalConnection connection;
  bool is_connected = false;
  // The peer of a connected association begins another one at the same path (RFC 9147 section
  // 5.11). While both exist, the index of paths has the connected one only; Endpoint::Impl::pairs_
  // leads from each to the other.
  bool is_new_association = false;
  bool end_reported = false;
  QueuedIn queued_in;
  std::optional<EndReason> end;
  StoredPath path;  // the present one; OtherPaths has the others
  std::uint32_t generation = 0;
  // Of the ClientHello that has begun the association, which tells repetitions; 0 where this side
  // is client.
  CookieNumber cookie{};
  Minutes begun{};  // when the association began
  // In the list of handshakes of peers by age or, when connected, in that of connections of peers
  // by the time of their last record.
  Links links;
  // What that list is ordered by: when the handshake began or, when connected, when the last
  // authenticated record of the peer came, to a second.
  Instant since;

  [[nodiscard]] bool is_alive() const { return connection && !end; }
  // Whether a peer has begun this handshake, and it is not complete, or the peer is not accepted.
  [[nodiscard]] bool is_half_open() const {
    return !is_connected && connection && connection->role() == Role::server;
  }
};

}  // namespace sluice::dtls::endpoint
