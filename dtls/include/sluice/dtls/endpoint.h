// Many connections behind one socket or several, found by their addresses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include <sluice/dtls/connection.h>
#include <sluice/dtls/listener.h>
#include <sluice/dtls/path.h>

namespace sluice::dtls {

// One connection of an Endpoint. Never used again: what a handle meant is gone with it.
enum class ConnectionHandle : std::uint64_t {};

// A small number that no other connection of the same Endpoint has at the same time, for tables of
// the caller's own; also the PathId that an Endpoint's connections have.
constexpr std::uint32_t slot_of(ConnectionHandle handle) {
  return static_cast<std::uint32_t>(handle);
}

struct EndpointOptions {
  // Of the connections that peers begin; null: none are let in.
  ConfigPtr server = {};
  ListenerOptions listener = {};

  // Those whose handshake is under way included; connect() counts.
  std::size_t max_connections = 65536;
  // Peers' handshakes that aren't complete, or whose peer nobody has accepted yet. One more takes
  // the oldest's place if that has had half_open_grace, else it isn't let in: its client will ask
  // again.
  std::size_t max_half_open = 1024;
  Duration half_open_grace = std::chrono::seconds{2};

  // Of one host, whatever its ports; 0: no limit. Behind one IPv4 address there can be many people.
  std::size_t max_connections_per_host = 0;
  std::size_t max_half_open_per_host = 64;
  // What of an IPv6 address says which host it is: a site has at least a /64 (RFC 6177).
  unsigned ipv6_host_prefix = 64;

  // Room for so many connections is allocated at once. Where more come, tables are copied to twice
  // the size: 1,000,000 entries take some 20 ms.
  std::size_t reserved_connections = 0;
};

enum class EndReason : std::uint8_t {
  closed,          // by close()
  closed_by_peer,  // by its close_notify
  aborted,         // by abort()
  failed,          // Ended::error says how
  replaced,        // the peer began anew from the same address (RFC 9147 section 5.11)
  displaced,       // a handshake that gave way to another: EndpointOptions::max_half_open
};
inline constexpr std::size_t kEndReasons = 6;

std::string_view to_string(EndReason reason);

// The last event of each connection; its handle is no longer good.
struct Ended {
  EndReason reason;
  UdpPath path;
  std::optional<Error> error = {};
};

namespace detail {
template <class Events, class... More>
struct WithEvents;
template <class... Events, class... More>
struct WithEvents<std::variant<Events...>, More...> {
  using Type = std::variant<Events..., More...>;
};
}  // namespace detail

struct EndpointEvent {
  ConnectionHandle connection;
  // A Connection's, and Ended; Closed has become an Ended.
  detail::WithEvents<Event, Ended>::Type what;
};

struct EndpointData {
  ConnectionHandle connection;
  MutableBytes bytes;
};

struct EndpointTransmit {
  std::size_t size{};
  UdpPath path;
  std::optional<ConnectionHandle> connection;  // empty: the Listener's answer to a stranger
};

// Why a peer that has shown its address wasn't let in.
enum class Refusal : std::uint8_t {
  too_many_connections,
  too_many_half_open,
  too_many_connections_of_host,
  too_many_half_open_of_host,
};
inline constexpr std::size_t kRefusals = 4;

std::string_view to_string(Refusal refusal);

struct EndpointStatistics {
  std::uint64_t datagrams_received = 0;
  std::uint64_t to_listener = 0;       // as many of them were of strangers, or began like those
  std::uint64_t unknown = 0;           // as many were of strangers, and none are let in
  std::uint64_t accepted = 0;          // connections that peers have begun
  std::uint64_t connected = 0;         // connections of both roles that got so far
  std::uint64_t repeated_hellos = 0;   // of peers that were let in already
  std::uint64_t colliding_hellos = 0;  // from where a handshake of connect() is under way
  std::array<std::uint64_t, kEndReasons> ended = {};
  std::array<std::uint64_t, kRefusals> refused = {};

  [[nodiscard]] std::uint64_t ends(EndReason reason) const {
    return ended[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t refusals(Refusal refusal) const {
    return refused[static_cast<std::size_t>(refusal)];
  }
};

// Like a Connection it has no socket, no thread and no clock. After every input drain the outputs:
// poll_data(), poll_event(), poll_transmit(), each until empty, then next_timeout(). Times must not
// go backwards.
//
// Strangers meet a Listener; who shows its address becomes a connection, if the limits allow. A
// peer that begins anew at the address of a connected one gets a connection beside that, which
// takes the other's place when it is connected itself, not before: a forged hello changes nothing.
// One that begins anew while its handshake is under way takes that one's place at once, with a
// cookie of its own.
//
// A connection that has ended is found no more, and is gone when its Ended and its last datagrams
// have been polled. Each ends with one Ended, whether it has ever been connected or not.
//
// Used by one thread at a time, together with its Environment, which must outlive it. Several
// threads have an Endpoint each, and a socket each with SO_REUSEPORT: the kernel gives all
// datagrams of one address to the same socket as long as their number doesn't change.
//
// Time: a datagram takes one look into a hash table whose key nobody knows; next_timeout() takes
// none, and a timer O(log n). Connections without a timer are never looked at. In the long run
// datagrams allocate the ciphers of connections that had none (max_warm_connections), and timers
// nothing.
//
// Memory: about 200 bytes a connection beside the Connection, which is given back with the
// Endpoint; Connections are gone when they end. There are never more connections than
// max_connections and max_half_open together, and those that wait to be polled for the last time.
// What a handshake may take, Config bounds.
class Endpoint {
 public:
  // Errors: invalid_config, with Error::detail naming the option; libcrypto_failure.
  static Result<Endpoint> make(const EndpointOptions& options, Environment& environment);

  Endpoint(Endpoint&&) noexcept;
  Endpoint& operator=(Endpoint&&) noexcept;
  ~Endpoint();

  // ---- inputs

  // A client's connection, as from Connection::client(). Errors: invalid_argument (the path has a
  // connection), too_many_connections, libcrypto_failure.
  Result<ConnectionHandle> connect(ConfigPtr config, const UdpPath& path, Instant now,
                                   const std::optional<ResumableSession>& session = {});

  // Takes one datagram and decrypts it where it lies.
  Pending handle_datagram(MutableBytes datagram, const UdpPath& path, Instant now);
  // To be called at next_timeout() or later; earlier calls do nothing.
  Pending handle_timeout(Instant now);

  // As Connection's. All inputs to one connection give Errc::closed for a handle that is no longer
  // good.
  Result<Pending> answer(ConnectionHandle connection, QuestionId question, const Answer& answer,
                         Instant now);
  // Queues close_notify and ends the connection.
  Result<Pending> close(ConnectionHandle connection, Instant now);
  Pending close_all(Instant now);
  // Ends it at once; the peer isn't told.
  Result<Pending> abort(ConnectionHandle connection);
  // Any other input:
  //   endpoint.apply(handle, [&](Connection& c) { return c.set_peer_fingerprints(all, now); });
  template <class Input>
  Result<Pending> apply(ConnectionHandle connection, Input&& input) {
    Connection* known = begin_input(connection);
    if (known == nullptr) return tl::unexpected(Error{Errc::closed});
    return end_input(connection, std::forward<Input>(input)(*known));
  }

  // As Connection::seal(): a datagram to be sent on path_of(connection).
  SendResult seal(ConnectionHandle connection, Bytes application_data, MutableBytes out);

  // ---- outputs

  // Spans are valid until the next input.
  std::optional<EndpointData> poll_data();
  std::optional<EndpointEvent> poll_event();
  // Writes the next datagram to `out`, which must hold the paths' MTU.
  std::optional<EndpointTransmit> poll_transmit(MutableBytes out);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // ---- what it knows

  // Null when there is none, or no longer. Valid until the next input.
  [[nodiscard]] const Connection* find(ConnectionHandle connection) const;
  // The one that datagrams from there are for.
  [[nodiscard]] std::optional<ConnectionHandle> find(const UdpPath& path) const;
  [[nodiscard]] std::optional<UdpPath> path_of(ConnectionHandle connection) const;
  // Connections that haven't ended.
  [[nodiscard]] std::size_t size() const;
  // As EndpointOptions::max_half_open counts them.
  [[nodiscard]] std::size_t half_open() const;
  [[nodiscard]] const EndpointStatistics& statistics() const;
  // All zero when peers aren't let in.
  [[nodiscard]] const ListenerStatistics& listener_statistics() const;

 private:
  class Impl;
  explicit Endpoint(std::unique_ptr<Impl> impl);
  Connection* begin_input(ConnectionHandle connection);
  Result<Pending> end_input(ConnectionHandle connection, const Result<Pending>& outcome);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::dtls
