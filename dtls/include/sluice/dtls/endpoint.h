// Many connections on one socket or several, found by the connection IDs and addresses of their
// datagrams.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <sluice/dtls/connection.h>
#include <sluice/dtls/connection_id.h>
#include <sluice/dtls/listener.h>
#include <sluice/dtls/path.h>
#include <sluice/dtls/secret.h>
#include <sluice/dtls/sleeping_session.h>

namespace sluice::dtls {

// One connection of an Endpoint. No other connection of that Endpoint ever gets the same handle.
enum class ConnectionHandle : std::uint64_t {};
// Never that of a connection.
inline constexpr ConnectionHandle kNoConnection{UINT64_MAX};

// A small number that no other connection of the same Endpoint has at the same time, for tables of
// the caller.
constexpr std::uint32_t slot_of(ConnectionHandle handle) {
  return static_cast<std::uint32_t>(handle);
}

// When a connection follows its peer to another path ("Peer Address Update", RFC 9146 section 6).
// Only datagrams with a connection ID can come from another path; what is authentic in them is
// delivered in any case.
enum class PeerMove : std::uint8_t {
  // Only set_path() moves connections.
  never,
  // A connection moves once its peer has answered from the other path, where it has agreed on the
  // return routability check (ConfigOptions::return_routability). Others stay.
  after_check,
  // Connections without the check move too: with a datagram from another path that brings a newer
  // record than all before (Pending::newest_record), once they are connected. Replayed, forged and
  // reordered datagrams move nothing. But nothing proves that the peer is there: an attacker who
  // sees a datagram, and has a copy arrive first from an address of his choice, draws to it what
  // this side sends, until the next newer record of the peer. He can read none of it, and may want
  // to flood that address.
  newer_record,
};

struct EndpointOptions {
  // The Config of connections that peers begin. Null: peers cannot begin any.
  ConfigPtr server = {};
  ListenerOptions listener = {};

  // Makes the connection IDs of connections whose Config has a connection_id_size other than 0,
  // which must be of its size. It is not owned and must outlive the Endpoint. Null: random IDs,
  // whose size is that of the first such Config, which all others must have. The Endpoint asks
  // again for an ID that one of its connections has, up to 31 times.
  ConnectionIdSource* connection_ids = nullptr;
  PeerMove peer_move = PeerMove::after_check;

  // Connections of both roles, handshakes under way included. Where there are so many, another peer
  // replaces the oldest handshake of a peer, if that is older than half_open_grace, or else a
  // connection that has been silent for displace_silent_after; otherwise it is refused.
  std::size_t max_connections = 65536;
  // Connections begun by peers whose handshake is not complete, or whose peer is not accepted yet.
  // Another one replaces the oldest, if that is older than half_open_grace; otherwise it is
  // refused, and its client retransmits its ClientHello.
  std::size_t max_half_open = 1024;
  Duration half_open_grace = std::chrono::seconds{2};

  // Connections begun by one host, whatever its ports; 0: no limit. Many users may share one IPv4
  // address.
  std::size_t max_connections_per_host = 0;
  std::size_t max_half_open_per_host = 64;
  // The first bits of an IPv6 address that identify its host, 0 to 128: a site has at least a /64
  // (RFC 6177).
  unsigned ipv6_host_prefix = 64;

  // A connection that a peer has begun ends when no authenticated record of the peer has come for
  // so long (EndReason::idle), at the earliest; at the latest a second later. The peer gets a
  // close_notify. 0: never. At most 3650 days.
  Duration idle_limit = Duration::zero();
  // At max_connections a new peer takes the place of the connection whose peer has been silent
  // longest, among those that peers have begun, if that is at least so long
  // (EndReason::displaced_silent). It does so once it is connected, not before: who has an address
  // alone ends no connection. Until then there may be as many as max_half_open connections more.
  // Empty: connections do not give way. At most 3650 days.
  std::optional<Duration> displace_silent_after = std::chrono::hours{1};
  // Ageing: where no authenticated record of the peer has come for so long, the session leaves the
  // Endpoint, and SessionAged gives it to the caller; at the earliest then, at the latest a second
  // later. For connections that peers have begun, here or before adopt(), with connection IDs of
  // this side. 0: never. At most 3650 days.
  Duration age_after = Duration::zero();
  // Of those connections, so many stay. The ones that have been idle longest leave. 0: no limit. It
  // should be below max_connections, where peers that could sleep would have to give way.
  std::size_t max_live = 0;
  // Wakes sessions when datagrams come for them.
  WakingOptions waking = {};
  // The timers that one handle_timeout() fires, and the idle connections that it ends or that age,
  // together; at least 1. Also the aged sessions that wait to be polled: with so many, ageing
  // pauses. A bound, because after a jump of the clock all may be due at once, and meanwhile
  // nobody reads the socket. A timer takes some 10 us, with the datagrams that it sends.
  std::size_t max_timers_per_call = 256;

  // make() allocates the tables for this number of connections. When there are more, tables are
  // copied to ones of twice the size, which takes some 20 ms for 1,000,000 entries.
  std::size_t reserved_connections = 0;
};

enum class EndReason : std::uint8_t {
  closed,          // by close()
  closed_by_peer,  // by its close_notify after the handshake; during it: failed
  aborted,         // by abort()
  failed,          // for the reason in Ended::error
  replaced,        // by another association from the same path (RFC 9147 section 5.11)
  // A handshake, by a newer one: EndpointOptions::max_half_open, max_connections. Also a peer that
  // was to take the place of a silent connection, when none was silent any more.
  displaced,
  idle,              // EndpointOptions::idle_limit
  displaced_silent,  // by a new peer: EndpointOptions::displace_silent_after
  exported,          // by export_session(); not where SessionAged tells it
};
inline constexpr std::size_t kEndReasons = 9;

std::string_view to_string(EndReason reason);

// The last event of each connection, but for those of SessionAged. Its handle is no longer valid.
struct Ended {
  EndReason reason;
  UdpPath path;  // the last one
  std::optional<Error> error = {};
  // As Connection::info() and statistics() were at the end, for which find() is too late.
  std::optional<ConnectionInfo> info = {};
  Statistics statistics = {};
};

// The peer of a connection has moved, and the connection with it (PeerMove). It does not tell of
// set_path(). Moves that were not polled yet are told as one.
struct PeerMoved {
  UdpPath from;
  UdpPath to;
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
  // The events of a Connection, with Ended in place of Closed and PeerMoved in place of
  // PathChanged.
  detail::WithEvents<Event, Ended, PeerMoved, SessionAged, SessionWanted, SessionRestored>::Type
      what;
};

struct EndpointData {
  ConnectionHandle connection;
  MutableBytes bytes;
};

struct EndpointTransmit {
  std::size_t size{};
  UdpPath path;
  std::optional<ConnectionHandle> connection;  // empty: a stateless reply of the Listener
};

// Why a peer whose cookie was valid did not get a connection.
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
  std::uint64_t to_listener = 0;  // from unknown sources, and all ClientHellos
  std::uint64_t unknown = 0;      // from unknown sources, where peers cannot begin
  // From unknown sources, with a connection ID that no connection has: dropped.
  std::uint64_t unknown_connection_id = 0;
  std::uint64_t moves = 0;      // of connections that have followed their peers
  std::uint64_t accepted = 0;   // connections that peers have begun
  std::uint64_t connected = 0;  // connections of both roles whose handshake was completed
  // ClientHellos with the cookie of a peer that has its connection already, or with an older one.
  std::uint64_t repeated_hellos = 0;
  std::uint64_t colliding_hellos = 0;  // ClientHellos from a path where connect() is under way
  std::uint64_t aged = 0;              // SessionAged
  std::uint64_t adopted = 0;           // by adopt() and restore_wanted()
  std::uint64_t wanted = 0;            // SessionWanted
  std::uint64_t wanted_expired = 0;    // questions without an answer for WakingOptions::timeout
  std::uint64_t wanted_refused = 0;    // answers with a state that restore_wanted() did not take
  // Datagrams for sessions that sleep: above the bounds of WakingOptions, or there was no session.
  std::uint64_t wanted_dropped = 0;
  std::array<std::uint64_t, kEndReasons> ended = {};
  std::array<std::uint64_t, kRefusals> refused = {};

  [[nodiscard]] std::uint64_t count(EndReason reason) const {
    return ended[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t count(Refusal refusal) const {
    return refused[static_cast<std::size_t>(refusal)];
  }
};

// As for_each_counter() of Statistics.
template <class Visit>
void for_each_counter(const EndpointStatistics& statistics, Visit&& visit) {
  constexpr std::string_view kNone;
  visit(std::string_view("datagrams_received"), kNone, statistics.datagrams_received);
  visit(std::string_view("to_listener"), kNone, statistics.to_listener);
  visit(std::string_view("unknown"), kNone, statistics.unknown);
  visit(std::string_view("unknown_connection_id"), kNone, statistics.unknown_connection_id);
  visit(std::string_view("moves"), kNone, statistics.moves);
  visit(std::string_view("accepted"), kNone, statistics.accepted);
  visit(std::string_view("connected"), kNone, statistics.connected);
  visit(std::string_view("repeated_hellos"), kNone, statistics.repeated_hellos);
  visit(std::string_view("colliding_hellos"), kNone, statistics.colliding_hellos);
  visit(std::string_view("aged"), kNone, statistics.aged);
  visit(std::string_view("adopted"), kNone, statistics.adopted);
  visit(std::string_view("wanted"), kNone, statistics.wanted);
  visit(std::string_view("wanted_expired"), kNone, statistics.wanted_expired);
  visit(std::string_view("wanted_refused"), kNone, statistics.wanted_refused);
  visit(std::string_view("wanted_dropped"), kNone, statistics.wanted_dropped);
  for (std::size_t i = 0; i < kEndReasons; ++i) {
    visit(std::string_view("ended"), to_string(static_cast<EndReason>(i)), statistics.ended[i]);
  }
  for (std::size_t i = 0; i < kRefusals; ++i) {
    visit(std::string_view("refused"), to_string(static_cast<Refusal>(i)), statistics.refused[i]);
  }
}

// Like a Connection it has no socket, no thread and no clock. After every input drain the outputs,
// each until empty: poll_transmit(), poll_data(), poll_event(); then next_timeout(). What
// Connection says of other orders and of bounds holds here too. An input that an event leads to is
// to be followed by another turn. Times must not go backwards.
//
// A datagram whose first record has the connection ID of a connection (RFC 9146, RFC 9147 section
// 9) is for that connection, wherever it comes from. The same holds for the first record behind
// plaintext once the handshake is complete: a client of DTLS 1.2 repeats its last flight so. Other
// datagrams are for the connection at their path. No two connections of an Endpoint have the same
// ID.
//
// Datagrams from unknown sources go to a Listener. A peer whose cookie is valid gets a connection,
// if the limits allow it. A peer may begin a new association from the path of a connected one (RFC
// 9147 section 5.11): it gets a second connection, which replaces the old one once it is connected,
// not before, so that a forged ClientHello changes nothing. Another handshake from the path of one
// that is under way replaces that one as soon as its cookie is valid. Every ClientHello without a
// valid cookie is answered without state, whatever its path has. The cookie tells a new association
// from a repetition: a peer need not make another random each time it starts.
//
// A connection that has ended is not found by its path any more. It is destroyed when its Ended and
// its last datagrams have been polled. Each connection ends with one Ended, connected or not, or
// with one SessionAged.
//
// One thread at a time uses an Endpoint, together with its Environment, which must outlive it. A
// program with several threads has one Endpoint per thread, each with its own SO_REUSEPORT socket:
// the kernel gives all datagrams from one address to the same socket as long as the number of
// sockets does not change.
//
// Paths: the paths of each connection have numbers from 0 on, which are the PathIds of
// Connection::path() and PacketObserver. The number of a path that the connection has left, or of
// one from which nothing authentic has come, may later be that of another. Move a connection with
// set_path() of the Endpoint, never with that of the Connection.
//
// Several connections may be at one path when peers have moved there, for example because a NAT has
// given the address of a sleeping device to another. Their datagrams are told apart by their
// connection IDs. Those without one are for a connection that has no ID, has its handshake under
// way or begins anew there, else for the one that came last; find() gives the same.
//
// Time: a datagram takes one look-up in a hash table with a secret key, or two where connections
// have IDs, next_timeout() none, a timer O(log n), an idle connection that ends or gives way O(1).
// A connection without a timer takes none. In the long run, datagrams allocate only the ciphers of
// cold connections (Environment::Options::max_warm_connections), and timers nothing.
//
// Memory: about 120 bytes per connection besides the Connection, and 11 to 22 for each connection
// ID, which are freed with the Endpoint; Connections are freed when they end. Up to 3 paths besides
// the present one are kept while something is under way that may be sent there. There are at most
// max_connections and max_half_open together, and those that have ended and are still to be polled.
// The Config bounds what a handshake takes. WakingOptions bounds the datagrams that wait for
// sessions.
class Endpoint {
 public:
  // Errors: invalid_config, with Error::detail naming the option; libcrypto_failure.
  static Result<Endpoint> make(const EndpointOptions& options, Environment& environment);

  Endpoint(Endpoint&&) noexcept;
  Endpoint& operator=(Endpoint&&) noexcept;
  ~Endpoint();

  // ---- inputs

  // A connection in the client's role, as from Connection::client(). Errors: invalid_argument (the
  // path has a connection), invalid_config (also where connection_id_size does not fit:
  // EndpointOptions::connection_ids), too_many_connections, libcrypto_failure.
  Result<ConnectionHandle> connect(ConfigPtr config, const UdpPath& path, Instant now,
                                   const std::optional<ResumableSession>& session = {});

  // Takes one datagram and decrypts it in place.
  Pending handle_datagram(MutableBytes datagram, const UdpPath& path, Instant now);
  // To be called at next_timeout() or later; earlier calls do nothing. Fires the timers that are
  // due, at most EndpointOptions::max_timers_per_call. When more are due, next_timeout() is not
  // after `now`: read the sockets, then call again.
  Pending handle_timeout(Instant now);

  // As Connection::answer(). All inputs to one connection return Errc::closed for a handle that is
  // no longer valid.
  template <class Answers>
  Result<Pending> answer(ConnectionHandle connection, QuestionOf<Answers> question,
                         const std::type_identity_t<Answers>& answer, Instant now) {
    return apply(connection,
                 [&](Connection& known) { return known.answer(question, answer, now); });
  }
  Result<Pending> answer(ConnectionHandle connection, QuestionId question, const Answer& answer,
                         Instant now);
  // Queues close_notify and ends the connection.
  Result<Pending> close(ConnectionHandle connection, Instant now);
  Pending close_all(Instant now);
  // As export_cookie_secret() and import_cookie_secret() of Listener, for Endpoints that share
  // their cookies. Errors also: invalid_argument when peers cannot begin connections.
  Result<SecretBytes> export_cookie_secret(Instant now);
  Result<void> import_cookie_secret(Bytes secret, Instant now);
  // Ends the connection at once, without an alert.
  Result<Pending> abort(ConnectionHandle connection);
  // Moves a connection to another path. The caller decides that: the engine does not verify the
  // path with the peer. From now on datagrams from `path` are for this connection, which sends
  // everything there, while the former path is that of an unknown source, except for datagrams
  // with a connection ID. A limit per host does not
  // refuse the move, but the connection counts for its new host. If the peer has begun a new
  // association at the former path, that goes on there and no longer replaces this one. Errors,
  // which change nothing: closed (the handle is no longer valid), invalid_argument (`path` has
  // another connection), too_many_connections (the peer has begun a new association at the former
  // path, and apart the two would be one above max_connections).
  Result<void> set_path(ConnectionHandle connection, const UdpPath& path);
  // Any other input:
  //   endpoint.apply(handle, [&](Connection& c) { return c.set_peer_fingerprints(all, now); });
  // The function may use the Endpoint, and may even end this connection: the Connection then exists
  // until the function returns.
  template <class Input>
  Result<Pending> apply(ConnectionHandle connection, Input&& input) {
    Connection* known = begin_input(connection);
    if (known == nullptr) return tl::unexpected(Error{Errc::closed});
    const Pin pin(*this, connection);
    return end_input(connection, std::forward<Input>(input)(*known));
  }

  // ---- sessions that leave and enter

  // As Connection::export_session(): the connection leaves without a word to its peer. Its last
  // event is Ended, with EndReason::exported. Without ExportOptions::tag the state has that of
  // set_tag(). Errors, which change nothing: closed, export_blocked, invalid_argument (a tag that
  // is too long).
  Result<SessionState> export_session(ConnectionHandle connection, const ExportOptions& options,
                                      Instant now);
  // As Connection::snapshot(), snapshot_stored() and snapshot_due(), for a crash of the process.
  // Without SnapshotOptions::tag the state has that of set_tag(). The store may then have sessions
  // that are here: SessionWanted for a connection ID that its connection does not use any more
  // finds one, and so does a peer that reaches another server of the store. So the store must
  // belong to this Endpoint alone, and a state whose tag is that of a connection here must not be
  // restored. Errors also: closed.
  Result<Snapshot> snapshot(ConnectionHandle connection, const SnapshotOptions& options = {});
  Result<Pending> snapshot_stored(ConnectionHandle connection, SnapshotId snapshot, Instant now);
  // To be asked after an output or seal() of this connection. False for a handle that is no longer
  // valid.
  [[nodiscard]] bool snapshot_due(ConnectionHandle connection) const;
  // As Connection::restore(), at this path: the last one of the session, which SessionAged or
  // path_of() told. The connection counts as one that has just had a record. With connection IDs it
  // may share its path with others, as after a move of its peer. `state` is moved from on success
  // only. Errors: too_many_connections; connection_id_in_use, where a connection here has one of
  // the session's; invalid_argument (the session has no connection ID, and the path has a
  // connection); invalid_config, session_refused, libcrypto_failure.
  Result<ConnectionHandle> adopt(ConfigPtr config, SessionState&& state, const UdpPath& path,
                                 Instant now);
  // The name that the session has when it ages: up to kMaxSessionTag bytes, empty: none. A session
  // that is restored has that of its state. A connection without one takes no memory for it.
  // Errors, which change nothing: closed, invalid_argument.
  Result<void> set_tag(ConnectionHandle connection, Bytes tag);

  // Answers SessionWanted: this is the session. SessionRestored follows, then the datagrams that
  // have waited are processed, one in each turn: next_timeout() is not after `now`, and
  // handle_timeout() takes them.
  //
  // `path`: the last one of the session, as SessionAged told. What has waited may have come from
  // elsewhere, and the connection then follows its peer as EndpointOptions::peer_move says. Empty:
  // not known. Then the session is restored only where one of the waiting datagrams is authentic
  // and newer than all before, at the path where that came from; all that PeerMove::newer_record
  // warns of holds.
  //
  // Each call ends the question. `state` is moved from on success only: after an Error it is still
  // the caller's, and is to be stored again unless the session has become worthless. Errors: those
  // of adopt(); not_wanted, where the time for an answer has passed, adopt() was faster, or with an
  // empty `path` nothing authentic waits; session_refused also for a session that has not the
  // connection ID asked for.
  Result<Pending> restore_wanted(WantedSession wanted, ConfigPtr config, SessionState&& state,
                                 const std::optional<UdpPath>& path, Instant now);
  // Answers SessionWanted: there is no such session. Its datagrams are dropped, and further ones
  // until WakingOptions::timeout after the question. Does nothing for a question that has ended.
  Pending drop_wanted(WantedSession wanted, Instant now);

  // As Connection::seal(): writes a datagram to be sent on path_of(connection). Sealed::timer is
  // about next_timeout() of the Endpoint.
  SendResult seal(ConnectionHandle connection, Bytes application_data, MutableBytes out);
  // The same, with the path that the datagram is to be sent on.
  tl::expected<EndpointTransmit, SendError> seal_datagram(ConnectionHandle connection,
                                                          Bytes application_data, MutableBytes out);

  // ---- outputs

  // Spans are valid until the next input.
  std::optional<EndpointData> poll_data();
  std::optional<EndpointEvent> poll_event();
  // Writes the next datagram to `out`, which must have room for the MTU of the paths.
  std::optional<EndpointTransmit> poll_transmit(MutableBytes out);
  // As Connection::next_timeout().
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // ---- state

  // Null when the handle is not or no longer valid. The pointer is valid until the next input.
  [[nodiscard]] const Connection* find(ConnectionHandle connection) const;
  // The connection that datagrams from `path` are for if they have no connection ID.
  [[nodiscard]] std::optional<ConnectionHandle> find(const UdpPath& path) const;
  // Where the connection's datagrams come from and go to.
  [[nodiscard]] std::optional<UdpPath> path_of(ConnectionHandle connection) const;
  // Connections that haven't ended.
  [[nodiscard]] std::size_t size() const;
  // As EndpointOptions::max_half_open counts them.
  [[nodiscard]] std::size_t half_open() const;
  [[nodiscard]] const EndpointStatistics& statistics() const;
  // All zero when peers cannot begin connections.
  [[nodiscard]] const ListenerStatistics& listener_statistics() const;

 private:
  class Impl;
  // While one exists, the Connection is not destroyed.
  class Pin {
   public:
    Pin(Endpoint& endpoint, ConnectionHandle connection) : endpoint_(endpoint) {
      endpoint_.pin(connection);
    }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin() { endpoint_.unpin(); }

   private:
    Endpoint& endpoint_;
  };

  explicit Endpoint(std::unique_ptr<Impl> impl);
  void pin(ConnectionHandle connection);
  void unpin();
  Connection* begin_input(ConnectionHandle connection);
  Result<Pending> end_input(ConnectionHandle connection, const Result<Pending>& outcome);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::dtls
