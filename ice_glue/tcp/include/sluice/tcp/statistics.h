// What a Listener counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::tcp {

enum class CloseReason : std::uint8_t {
  by_peer,          // it has closed its side (FIN)
  failed,           // reset, unreachable, or another error of the socket
  frame_too_large,  // FramingError
  unconfirmed,      // ListenerOptions::confirm_within
  idle,             // ListenerOptions::idle_after
  displaced,        // unconfirmed, for a new one at ListenerOptions::max_connections
};
inline constexpr std::size_t kCloseReasons = 6;
std::string_view to_string(CloseReason reason);

// Why a connection was closed as soon as it was accepted, or not accepted.
enum class Refusal : std::uint8_t {
  too_many,          // ListenerOptions::max_connections, all of them confirmed
  too_many_of_host,  // ListenerOptions::max_connections_per_host
  no_resources,      // no descriptors or memory: accepts none for 1 s
};
inline constexpr std::size_t kRefusals = 3;
std::string_view to_string(Refusal reason);

// Why a datagram was not sent.
enum class SendDrop : std::uint8_t {
  no_connection,      // the path is none of an open connection
  queue_full,         // ListenerOptions::max_queued
  queue_full_in_all,  // ListenerOptions::max_queued_in_all
  too_large,          // above kMaxFrame
  cut_off,            // it waited when its connection ended
};
inline constexpr std::size_t kSendDrops = 5;
std::string_view to_string(SendDrop reason);

struct ListenerStatistics {
  std::uint64_t accepted = 0;     // connections
  std::uint64_t received = 0;     // datagrams
  std::uint64_t null_frames = 0;  // received, of length zero
  std::uint64_t sent = 0;         // datagrams, given to the kernel in whole
  std::uint64_t queued = 0;       // datagrams that had to wait, in part or in whole
  std::array<std::uint64_t, kCloseReasons> closed = {};
  std::array<std::uint64_t, kRefusals> refused = {};
  std::array<std::uint64_t, kSendDrops> dropped = {};

  [[nodiscard]] std::uint64_t count(CloseReason reason) const {
    return closed[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t count(Refusal reason) const {
    return refused[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t count(SendDrop reason) const {
    return dropped[static_cast<std::size_t>(reason)];
  }
};

// As dtls::for_each_counter() of dtls::Statistics.
template <class Visit>
void for_each_counter(const ListenerStatistics& statistics, Visit&& visit) {
  constexpr std::string_view kNone;
  visit(std::string_view("accepted"), kNone, statistics.accepted);
  visit(std::string_view("received"), kNone, statistics.received);
  visit(std::string_view("null_frames"), kNone, statistics.null_frames);
  visit(std::string_view("sent"), kNone, statistics.sent);
  visit(std::string_view("queued"), kNone, statistics.queued);
  const auto visit_each = [&]<class Reason>(std::string_view name, Reason, const auto& counters) {
    for (std::size_t i = 0; i < counters.size(); ++i) {
      visit(name, to_string(static_cast<Reason>(i)), counters[i]);
    }
  };
  visit_each("closed", CloseReason{}, statistics.closed);
  visit_each("refused", Refusal{}, statistics.refused);
  visit_each("dropped", SendDrop{}, statistics.dropped);
}

}  // namespace sluice::tcp
