// Every WebRTC session of a server on one port, UDP and TCP: an ICE-lite agent with a
// MediaTransport for each session.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <tl/expected.hpp>

#include <sluice/dtls/environment.h>
#include <sluice/dtls/path.h>
#include <sluice/ice_lite/event.h>
#include <sluice/ice_lite/session.h>
#include <sluice/ice_lite/session_state.h>
#include <sluice/ice_lite/statistics.h>
#include <sluice/srtp/session.h>
#include <sluice/transport/media_transport.h>

namespace sluice::ice_lite {

using dtls::Bytes;
using dtls::Instant;
using dtls::MutableBytes;

// How long consent lasts after a valid check (RFC 7675 section 5.1).
inline constexpr dtls::Duration kConsentLifetime = std::chrono::seconds{30};
// A ClientHello that is before its first check waits so long.
inline constexpr dtls::Duration kEarlyLifetime = std::chrono::seconds{3};
// The datagrams of one tuple that wait so, and the size of the largest one, in bytes. A ClientHello
// with a share of ML-KEM takes two datagrams.
inline constexpr std::size_t kMaxEarlyDatagrams = 2;
inline constexpr std::size_t kMaxEarlyDatagram = 1500;
// STUN responses that wait to be polled.
inline constexpr std::size_t kMaxQueuedResponses = 256;

struct ServerOptions {
  // Sessions; add_session() refuses further ones.
  std::size_t max_sessions = 65536;
  // Tuples (address pairs) of one session, 1 to 1024: a peer has one for each of its candidates
  // that works, and one more whenever a NAT gives it another port. Another one takes the place of
  // the one whose last check is the longest ago.
  std::size_t max_tuples_per_session = 16;
  // Of all sessions, up to 16,777,215, and of one host, whatever its ports; 0: no limit for a host.
  // Many users may share one IPv4 address. Checks from further ones are dropped.
  std::size_t max_tuples = 1'000'000;
  std::size_t max_tuples_per_host = 4096;
  // The first bits of an IPv6 address that identify its host, 0 to 128: a site has at least a /64
  // (RFC 6177).
  unsigned ipv6_host_prefix = 64;
  // Tuples without a valid check whose ClientHello is kept: 0 to 65,536, in all and of one host.
  // Each takes up to kMaxEarlyDatagrams of kMaxEarlyDatagram bytes, so 768 kB by default. A new one
  // takes the place of the oldest.
  std::size_t max_early_tuples = 256;
  std::size_t max_early_tuples_per_host = 16;
  // Error responses to requests that are not authentic, per second and at once; 0: none. Each is
  // smaller than its request, but costs a system call.
  std::size_t max_error_responses = 100;
  // A tuple that its session was heard on (an authenticated check, media or data) in this time is
  // not given to another session: who has a session of his own and forges the source address of
  // another's peer could otherwise cut that off. Peers that send nothing else still check every 6 s
  // (RFC 7675 section 5.1), and a check may be lost. A peer that begins another session from the
  // same port waits so long, unless its former session is closed. 0: a valid check moves it at
  // once.
  dtls::Duration tuple_hold = std::chrono::seconds{12};
  // The sessions whose timers one handle_timeout() serves; at least 1.
  std::size_t max_timers_per_call = 256;
  // make() allocates the tables for this number of sessions, with a tuple each.
  std::size_t reserved_sessions = 0;
};

// Which outputs are to be polled after an input, as dtls::Pending.
struct Pending {
  bool transmit = false;
  bool media = false;
  bool data = false;
  bool event = false;
  bool timer = false;
};

// Of a batch.
struct BatchPending {
  std::size_t taken{};  // datagrams, from the first one on
  Pending pending;
};

// One datagram to be sent over `path`: `path.own` is the address to send from, as it was received
// at, and may be empty.
struct Transmit {
  std::size_t size{};
  dtls::UdpPath path;
};

// A decrypted packet; valid until the next input.
struct Media {
  SessionHandle session;
  transport::MediaKind kind;
  MutableBytes packet;
};
struct Data {
  SessionHandle session;
  MutableBytes bytes;
};

// Like a MediaTransport it has no socket, no thread and no clock. After every input drain the
// outputs, each until empty: poll_transmit(), poll_data(), poll_media(), poll_event(); then
// next_timeout(). What MediaTransport says of other orders holds here too; spans of poll_data() and
// poll_media() point into the datagram just handled, or into those of the batch. Times must not go
// backwards.
//
// The caller makes each session with what signalling has agreed on, and sends its credentials and
// candidates (<sluice/ice_lite/description.h>) in SDP. A datagram is for the session that has its
// address pair. Any other is dropped, unless it is a STUN check whose USERNAME has the ufrag of a
// session and whose MESSAGE-INTEGRITY was made with that session's password: then the pair is a new
// tuple of the session, whether or not signalling has announced it (peer-reflexive candidates). A
// datagram from an unknown address pair costs one look-up in a hash table with a secret key. A
// check from there costs two look-ups and, if it has the ufrag of a session, an HMAC.
//
// ICE (RFC 8445), as a lite agent: it is always controlled, answers checks and sends none. A peer
// that claims to be controlled, too, gets error 487. Which of the nominated tuples is used:
//   * The first one.
//   * Another one with a higher PRIORITY: a peer that nominates aggressively (Firefox; RFC 5245
//     section 8.1.1.2) uses the nominated pair with the highest priority.
//   * Any other nominated one as soon as authenticated media or data comes over it, or when nothing
//     authentic has come over the present one for 12 s, two of the longest intervals of RFC 7675. A
//     replayed check moves nothing so.
//   * With libwebrtc's nomination attribute (draft-thatcher-ice-renomination), which peers send if
//     the SDP has a=ice-options:renomination: the one with the highest value.
// Consent (RFC 7675) is what the peer's own consent checks prove: a tuple without a valid check for
// kConsentLifetime is forgotten, and a session without nominated tuples has Expired. As with every
// lite agent, who has a session can have its media sent to an address that he forges checks from:
// nothing in ICE lite tests that the host there wants them.
//
// A tuple belongs to one session. A valid check for another session moves it, after
// ServerOptions::tuple_hold.
//
// One thread at a time uses an IceLiteServer, together with its Environment, which must outlive it.
// A server with several threads has one for each, with its own port, or with the same one and a
// SO_REUSEPORT program that knows which thread has a session: checks of one peer come from several
// addresses.
//
// In the steady state no datagram allocates memory. A session takes some 12 kB when it is connected
// (DTLS 1.3, AES-GCM, one SSRC each way), libsrtp's contexts included.
class IceLiteServer {
 public:
  // Errors: invalid_config, with Error::detail naming the option; libcrypto_failure.
  static dtls::Result<IceLiteServer> make(const ServerOptions& options,
                                          dtls::Environment& environment);

  IceLiteServer(IceLiteServer&&) noexcept;
  IceLiteServer& operator=(IceLiteServer&&) noexcept;
  ~IceLiteServer();

  // ---- sessions

  // Errors: invalid_config (Error::detail names the field; also those of MediaTransport::make()),
  // invalid_argument (a ufrag that another session has), too_many_connections
  // (ServerOptions::max_sessions), libcrypto_failure.
  dtls::Result<SessionHandle> add_session(const SessionOptions& options, Instant now);
  // The credentials for the SDP: the newest ones. Empty for a handle that is no longer valid.
  [[nodiscard]] std::optional<Credentials> local_credentials(SessionHandle session) const;
  // When the answer tells it. Tuples that checks with another one have made are forgotten. Errors:
  // closed, invalid_argument.
  dtls::Result<void> set_remote_ufrag(SessionHandle session, std::string_view ufrag, Instant now);
  // As MediaTransport::set_peer_fingerprints().
  dtls::Result<Pending> set_peer_fingerprints(SessionHandle session,
                                              std::span<const dtls::Fingerprint> announced,
                                              Instant now);
  // As MediaTransport::set_cryptex(). Errors: closed, invalid_argument.
  dtls::Result<void> set_cryptex(SessionHandle session, srtp::Cryptex mode);
  // The round-trip time to the peer, which RTCP reports tell the application (RFC 3550 section
  // 6.4.1). DTLS takes twice that for the first retransmission of its next flights, also in
  // associations that begin later. It is no input: outputs stay as they are. Errors: closed,
  // invalid_argument (a negative time).
  dtls::Result<void> set_rtt(SessionHandle session, dtls::Duration rtt);
  // Begins an ICE restart (RFC 8445 section 9), by either side; the credentials for the SDP. The
  // session goes on over its tuples, with the old credentials beside the new, until the peer
  // nominates a tuple with the new ones. A restart before that replaces the new ones. Errors:
  // closed, invalid_config, invalid_argument (a ufrag in use), libcrypto_failure.
  dtls::Result<Credentials> restart_ice(SessionHandle session, const IceRestart& restart,
                                        Instant now);
  // Queues close_notify and ends the session, which Ended tells. Errors: closed.
  dtls::Result<Pending> close(SessionHandle session, Instant now);
  Pending close_all(Instant now);
  // Ends the session at once, without a close_notify and without Ended; what it has to be polled is
  // gone, and spans that were polled of it are no longer valid. Does nothing for a handle that is
  // no longer valid.
  void remove(SessionHandle session);
  // Any other input to the session's MediaTransport, but for those about paths, start and end,
  // which are the server's: path_validated(), path_selected(), path_removed(), handle_datagram(),
  // restart(), close(), export_session() of the transport.
  //   server.apply(session, [&](MediaTransport& t) { return t.start(Role::client, now); });
  // The function must not use the server. Errors: closed; those of the function.
  template <class Input>
  dtls::Result<Pending> apply(SessionHandle session, Input&& input) {
    transport::MediaTransport* known = begin_input(session);
    if (known == nullptr) return tl::unexpected(dtls::Error{dtls::Errc::closed});
    return end_input(session, std::forward<Input>(input)(*known));
  }

  // ---- sessions that move

  // Takes one session out of the server, without a word to its peer: what restore() continues it
  // from. Drain the outputs before. The handle is no longer valid, and Ended does not come.
  // Responses to checks can still be polled. Errors, after which the session goes on here: closed,
  // export_blocked, libcrypto_failure.
  dtls::Result<SessionState> export_session(SessionHandle session, Instant now);
  // All sessions that can move now.
  ExportedSessions export_sessions(Instant now);
  // Why export_session() would fail now; empty: it would not. For a handle that is not valid:
  // not_connected.
  [[nodiscard]] std::optional<transport::ExportBlocked> export_blocked(SessionHandle session) const;
  // Continues a session that export_session() has exported, in this process or elsewhere: connected
  // at once, with its credentials, tuples, consent, and a restart_ice() that is under way. There is
  // no Connected and no PathSelected for it; path_of() says where it sends to. Statistics of its
  // transport begin at 0. Restore before the first datagram, so that none is refused. Errors:
  // those of MediaTransport::restore(); too_many_connections (ServerOptions::max_sessions,
  // max_tuples or max_tuples_per_host); session_refused also above max_tuples_per_session;
  // invalid_argument (a ufrag or a path that another session has; a negative `away`).
  dtls::Result<SessionHandle> restore(SessionState state, const RestoreOptions& options,
                                      Instant now);

  // ---- network

  // Takes one datagram of any protocol and decrypts it in place.
  Pending handle_datagram(MutableBytes datagram, const dtls::UdpPath& path, Instant now);
  // Takes several, as handle_datagram() takes each, with one turn of outputs for all: spans of
  // poll_data() and poll_media() point into any of them. Stops before a datagram of a session that
  // has data or early media to be polled, before a check or a datagram of an unknown path where any
  // session has, and when kMaxQueuedResponses wait: drain, then go on with the rest. The first one
  // is always taken.
  BatchPending handle_datagrams(std::span<const dtls::ReceivedDatagram> datagrams, Instant now);
  // The path has ended, such as a TCP connection (tcp::Listener::poll_closed()): its tuple is
  // forgotten. Where it was the one in use, the session goes on over the best of its other
  // nominated tuples (PathSelected). Without one it sends nothing until the next nomination, and
  // has Expired when consent on this path ends. Does nothing for a path that no session has.
  Pending path_closed(const dtls::UdpPath& path, Instant now);
  // To be called at next_timeout() or later; earlier calls do nothing. Serves the sessions whose
  // timers are due, at most ServerOptions::max_timers_per_call. When more are due, next_timeout()
  // is not after `now`: read the socket, then call again.
  Pending handle_timeout(Instant now);

  // ---- sending

  // As MediaTransport::protect_rtp(), protect_rtcp() and seal_data(), with the path that the packet
  // is to be sent over. PacketError::no_key and SendError::not_connected also where the session has
  // no path, or the handle is no longer valid.
  tl::expected<Transmit, srtp::PacketError> protect_rtp(SessionHandle session, MutableBytes buffer,
                                                        std::size_t size);
  tl::expected<Transmit, srtp::PacketError> protect_rtcp(SessionHandle session, MutableBytes buffer,
                                                         std::size_t size);
  tl::expected<Transmit, dtls::SendError> seal_data(SessionHandle session, Bytes application_data,
                                                    MutableBytes out);

  // ---- outputs

  // STUN responses first, then DTLS. `out` holds the MTU of the paths (dtls::kMaxDatagram always
  // suffices).
  std::optional<Transmit> poll_transmit(MutableBytes out);
  std::optional<Data> poll_data();
  std::optional<Media> poll_media();
  std::optional<Event> poll_event();
  // As dtls::Connection::next_timeout().
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // ---- state

  // Null when the handle is not or no longer valid. The pointer is valid until the next input.
  [[nodiscard]] const transport::MediaTransport* find(SessionHandle session) const;
  // As MediaTransport::srtp_session().
  [[nodiscard]] srtp::Session* srtp_session(SessionHandle session);
  // The session that datagrams of this path are for.
  [[nodiscard]] std::optional<SessionHandle> find(const dtls::UdpPath& path) const;
  // Where the session sends to; empty while it has no path.
  [[nodiscard]] std::optional<dtls::UdpPath> path_of(SessionHandle session) const;
  // Sessions that have not ended.
  [[nodiscard]] std::size_t size() const;
  // Tuples of all sessions.
  [[nodiscard]] std::size_t tuples() const;
  [[nodiscard]] const ServerStatistics& statistics() const;

 private:
  class Impl;
  explicit IceLiteServer(std::unique_ptr<Impl> impl);
  transport::MediaTransport* begin_input(SessionHandle session);
  dtls::Result<Pending> end_input(SessionHandle session,
                                  const dtls::Result<transport::TransportPending>& outcome);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::ice_lite
