// One transport of a WebRTC session: DTLS, SRTP and data over the paths that ICE has found.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include <sluice/dtls/connection.h>
#include <sluice/srtp/session.h>
#include <sluice/transport/classify.h>
#include <sluice/transport/transport_state.h>

namespace sluice::transport {

using dtls::Bytes;
using dtls::Instant;
using dtls::MutableBytes;
using dtls::PathId;

struct MediaTransportOptions {
  // Required. Without srtp_profiles in it there is no media, only data. With them, libsrtp must
  // support each, and srtp_mki and max_srtp_mki are at most srtp::kMaxMki.
  dtls::ConfigPtr dtls = {};
  srtp::SessionOptions srtp = {};
  // SRTP packets that arrive before the peer is accepted are kept, and delivered after
  // TransportConnected: at most max_early_packets (0 to 1024) of at most max_early_packet_size
  // bytes each (0 to 65535). Others are dropped and counted.
  std::size_t max_early_packets = 32;
  std::size_t max_early_packet_size = 2048;
  // Paths known at a time: 1 to 1024. Further ones are refused and counted. A path is forgotten by
  // path_removed() alone.
  std::size_t max_paths = 64;
  // After restart() packets under the old keys are accepted for this time (0 or more) from the
  // moment the new keys began to send: packets may be late, and the peer may change over later.
  dtls::Duration old_keys_linger = std::chrono::seconds{5};
  // After restart() the side whose handshake ends first has no proof that the peer has the new
  // keys. It continues to send with the old ones until it has received a packet under the new ones,
  // at most for this time (0 or more).
  dtls::Duration old_keys_hold = std::chrono::seconds{1};
};

// Which outputs are to be polled after an input, as dtls::Pending, with media. `data`, `media` and
// `event` are also set for what comes once poll_transmit() has returned the last flight of the
// handshake.
struct TransportPending {
  bool transmit = false;
  bool media = false;
  bool data = false;
  bool event = false;
  bool timer = false;  // next_timeout() may have changed
};

using MediaKind = srtp::PacketKind;

// A decrypted packet; valid until the next input.
struct MediaPacket {
  MediaKind kind;
  MutableBytes packet;
};

// The handshake is complete, the peer is accepted, and poll_transmit() has returned the last flight
// of this side: media and data can be sent. Comes again for the association that restart() began.
struct TransportConnected {
  dtls::ConnectionInfo info;
};
// The peer has ended the association with close_notify. Nothing is sent or received any more.
struct TransportClosed {};
// For the first time under these keys a new SSRC came above srtp::SessionOptions::max_ssrcs, so
// that the one that was used the longest time ago made room or the new one was refused. Once per
// direction; srtp_session()->statistics() counts further ones.
struct TransportSsrcLimit {
  srtp::Direction direction;
};
using TransportEvent = std::variant<TransportConnected, TransportClosed, TransportSsrcLimit>;

// What a transport that is not connected yet waits for. Once the handshake has begun, it waits at
// most for RetransmissionTimers::total: then it ends with handshake_timeout.
enum class TransportWaitingFor : std::uint8_t {
  nothing,       // it is connected, or has ended
  role,          // start()
  path,          // path_selected(): a client has no path to send its ClientHello to
  client_hello,  // the peer's, on a validated path
  peer_message,  // the peer's next handshake message
  fingerprints,  // the handshake is complete: set_peer_fingerprints()
};

std::string_view to_string(TransportWaitingFor what);

// Why a datagram was dropped before it reached DTLS or SRTP. dtls_statistics() counts what DTLS
// discards, MediaTransportStatistics::media_refused what SRTP refuses.
enum class Drop : std::uint8_t {
  unvalidated_path,   // DTLS or SRTP from a path that ICE hasn't validated
  outdated_path,      // from a path of before restart(), whose association is gone
  foreign_protocol,   // STUN, TURN, ZRTP, QUIC or unknown
  not_started,        // DTLS before start(), or before a client has sent its ClientHello
  early_media_full,   // MediaTransportOptions::max_early_packets
  early_media_large,  // MediaTransportOptions::max_early_packet_size
  not_negotiated,     // SRTP, but the handshake chose no profile
  ended,              // after TransportClosed, close() or an Error
};
inline constexpr std::size_t kDropReasons = 8;

std::string_view to_string(Drop reason);

// For a dashboard: rtp_received, rtp_sent and their RTCP. For alarms: media_refused, above all
// authentication_failed (wrong keys or an attack) and too_many_ssrcs (see srtp::Session); dropped,
// above all unvalidated_path (ICE is not wired to path_validated()) and early_media_full;
// paths_refused.
struct MediaTransportStatistics {
  std::array<std::uint64_t, kPacketClasses> received = {};  // datagrams by class
  std::array<std::uint64_t, kDropReasons> dropped = {};
  std::uint64_t rtp_received = 0;  // authenticated packets, early ones included
  std::uint64_t rtcp_received = 0;
  std::uint64_t rtp_sent = 0;
  std::uint64_t rtcp_sent = 0;
  std::array<std::uint64_t, srtp::kPacketErrors> media_refused = {};       // inbound, by reason
  std::array<std::uint64_t, srtp::kPacketErrors> media_send_refused = {};  // outbound, by reason
  std::uint32_t associations = 0;     // DTLS associations begun
  std::uint64_t old_key_packets = 0;  // received under the keys from before restart()
  std::uint32_t paths_refused = 0;    // above MediaTransportOptions::max_paths

  [[nodiscard]] std::uint64_t count(PacketClass packet_class) const {
    return received[static_cast<std::size_t>(packet_class)];
  }
  [[nodiscard]] std::uint64_t count(Drop reason) const {
    return dropped[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t count(srtp::PacketError error) const {
    return media_refused[static_cast<std::size_t>(error)];
  }
};

// As dtls::for_each_counter() of dtls::Statistics.
template <class Visit>
void for_each_counter(const MediaTransportStatistics& statistics, Visit&& visit) {
  constexpr std::string_view kNone;
  visit(std::string_view("rtp_received"), kNone, statistics.rtp_received);
  visit(std::string_view("rtcp_received"), kNone, statistics.rtcp_received);
  visit(std::string_view("rtp_sent"), kNone, statistics.rtp_sent);
  visit(std::string_view("rtcp_sent"), kNone, statistics.rtcp_sent);
  visit(std::string_view("associations"), kNone, std::uint64_t{statistics.associations});
  visit(std::string_view("old_key_packets"), kNone, statistics.old_key_packets);
  visit(std::string_view("paths_refused"), kNone, std::uint64_t{statistics.paths_refused});
  for (std::size_t i = 0; i < kPacketClasses; ++i) {
    visit(std::string_view("received"), to_string(static_cast<PacketClass>(i)),
          statistics.received[i]);
  }
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    visit(std::string_view("dropped"), to_string(static_cast<Drop>(i)), statistics.dropped[i]);
  }
  for (std::size_t i = 0; i < srtp::kPacketErrors; ++i) {
    const auto error = to_string(static_cast<srtp::PacketError>(i));
    visit(std::string_view("media_refused"), error, statistics.media_refused[i]);
    visit(std::string_view("media_send_refused"), error, statistics.media_send_refused[i]);
  }
}

// Sans-IO like dtls::Connection, whose rules hold here too: no socket, thread or clock; move-only;
// used by one thread at a time together with its Environment, which must outlive it.
//
// One transport carries a whole BUNDLE group (RFC 9143), with RTP and RTCP multiplexed (rtcp-mux,
// RFC 5761). There is no second component for RTCP; a session without BUNDLE needs one
// MediaTransport per transport.
//
// The ICE agent is not part of it: use your own, or libnice (sluice::nice). The agent handles STUN,
// reports the paths that it has validated, and passes on all other datagrams. DTLS and SRTP are
// accepted from validated paths only, so that others can neither begin a handshake nor fill the
// buffers for early media.
//
// A PathId is the caller's own number for a path, such as an ICE candidate pair: any number, unique
// within this transport, and not used again for another path before path_removed(). The transport
// only compares PathIds, and returns them in path() and Transmit::path.
//
// After every input, also after one that failed (its alert must still be sent), drain the outputs,
// each until empty: poll_transmit(), poll_data(), poll_media(), poll_event(); then next_timeout().
// Another order loses nothing: TransportConnected, and what waits for it, come after
// poll_transmit() has returned the last flight of the handshake; if they came too late for this
// turn, next_timeout() says once that handle_timeout() is due now. dtls::Connection states the
// bounds of what is kept early.
//
// An input returns an Error with `is_fatal` once, when the association fails; then nothing is sent
// or received until restart() begins a new one, and inputs that only report (datagrams, timeouts,
// paths) succeed and change nothing. Other Errors, such as invalid_argument and closed, have no
// effect. When libsrtp can't make a session for the keys (no memory), the input that needed it, or
// the next one after protect_rtp() or protect_rtcp(), returns libcrypto_failure, and the peer gets
// close_notify.
//
// In the steady state no packet, in or out, allocates memory (except within libsrtp for the HMAC of
// the AES-CM profiles).
class MediaTransport {
 public:
  // Errors: invalid_config; Error::detail names the field.
  static dtls::Result<MediaTransport> make(MediaTransportOptions options,
                                           dtls::Environment& environment);

  // Continues a call that export_session() has exported, in this process or elsewhere: connected at
  // once, with the keys, paths, MTU and RTT of the former. There is no TransportConnected for it.
  // Statistics begin at 0. The options are checked as by make(), and the Config again as by
  // dtls::Connection::restore(). Paths that the ICE agent knows by other numbers now:
  // path_removed() and path_selected(). What was agreed on of cryptex is in the state. Errors:
  // invalid_config, decode_error, session_refused (also
  // for a state with more paths or SSRCs than the options allow), libcrypto_failure.
  static dtls::Result<MediaTransport> restore(MediaTransportOptions options,
                                              dtls::Environment& environment, TransportState state,
                                              Instant now);

  MediaTransport(MediaTransport&&) noexcept;
  MediaTransport& operator=(MediaTransport&&) noexcept;
  ~MediaTransport();

  // ---- signalling

  // The role that a=setup gives: active is the client. A client's handshake begins as soon as there
  // is a selected path. A side that offers actpass starts as server, to be ready for a ClientHello
  // before the answer (RFC 5763 section 5), and starts again as client if the answer says passive.
  // Errors: invalid_argument when a handshake has begun in the other role; closed.
  dtls::Result<TransportPending> start(dtls::Role role, Instant now);

  // The fingerprints of the peer's SDP (RFC 8122), those of session level included: before, during
  // or after the handshake. Until they are known no media and no data is sent or delivered. Errors:
  // peer_rejected when none matches the peer's certificate (the peer gets bad_certificate);
  // invalid_argument for an empty list; closed.
  dtls::Result<TransportPending> set_peer_fingerprints(std::span<const dtls::Fingerprint> announced,
                                                       Instant now);

  // Encryption of RTP's header extensions and CSRCs (RFC 9335), as a=cryptex of both sides says it,
  // in place of MediaTransportOptions::srtp's. It counts for the packets from now on, also under
  // keys from before a restart(); outputs stay. The early packets of a peer that has it need it
  // before the fingerprints. Errors: invalid_argument, where libsrtp has none
  // (srtp::has_cryptex()).
  dtls::Result<void> set_cryptex(srtp::Cryptex mode);
  // As it was set last, or agreed on before the call moved.
  [[nodiscard]] srtp::Cryptex cryptex() const;

  // Begins a new association, after an ICE restart whose SDP has a new fingerprint, tls-id or role
  // (RFC 8842 section 3.1). An ICE restart that keeps them needs new paths only. Paths validated
  // from now on belong to the new association, earlier ones to the old: RFC 8842 section 4 requires
  // fresh candidates because nothing else distinguishes the datagrams. The old keys are used in
  // both directions until the new ones are. An empty `announced` means that set_peer_fingerprints()
  // follows. Errors: closed, after close().
  dtls::Result<TransportPending> restart(dtls::Role role,
                                         std::span<const dtls::Fingerprint> announced, Instant now);

  // ---- ICE

  // A STUN check with a valid MESSAGE-INTEGRITY has arrived on this path, or a response to our own.
  // After restart(), call it only for checks with the new credentials: an old path that is
  // validated again moves to the new association.
  dtls::Result<TransportPending> path_validated(PathId path, Instant now);
  // ICE sends over this path from now on; it counts as validated. `rtt`, when known, sets DTLS's
  // first retransmission timeout. What poll_data() and poll_media() have stays, so that ICE may
  // select the path that they came over.
  dtls::Result<TransportPending> path_selected(PathId path, std::optional<dtls::Duration> rtt,
                                               Instant now);
  // Consent has expired (RFC 7675) or the path is gone. Nothing is accepted from it or sent to it.
  void path_removed(PathId path);
  // The largest datagram that the selected path takes, in bytes (256 to 16384).
  void set_path_mtu(std::size_t mtu);
  // The round-trip time of the selected path, as path_selected() takes it. Outputs stay.
  void set_path_rtt(dtls::Duration rtt);

  // ---- network

  // Takes one datagram and decrypts it in place: spans of poll_media() and poll_data() point
  // into it. STUN and other protocols are counted and ignored.
  dtls::Result<TransportPending> handle_datagram(MutableBytes datagram, PathId path, Instant now);
  // To be called at next_timeout() or later; earlier calls do nothing.
  dtls::Result<TransportPending> handle_timeout(Instant now);
  // Queues close_notify and ends the transport.
  dtls::Result<TransportPending> close(Instant now);

  // ---- calls that move

  // Ends this transport, without a word to the peer, and returns what restore() continues it from.
  // SRTP moves by export only: a dtls::Snapshot would not reserve its indices. Errors:
  // export_blocked, invalid_argument (a tag that is too long); the transport goes on then.
  dtls::Result<TransportState> export_session(const dtls::ExportOptions& options = {}) &&;
  // Why export_session() would fail now; empty: it would not.
  [[nodiscard]] std::optional<ExportBlocked> export_blocked() const;

  // ---- sending

  // Protects the `size` bytes at the front of `buffer`, which has srtp::kMaxTrailer bytes of room
  // behind them. The result is the new size; the caller sends it to path(). Before
  // TransportConnected and after the end: PacketError::no_key. A packet may be protected and sent
  // again, unchanged: srtp::Session::protect_rtp().
  srtp::PacketResult protect_rtp(MutableBytes buffer, std::size_t size) {
    return protect(MediaKind::rtp, buffer, size).result();
  }
  srtp::PacketResult protect_rtcp(MutableBytes buffer, std::size_t size) {
    return protect(MediaKind::rtcp, buffer, size).result();
  }
  // As dtls::Connection::seal(): one record for path(). Sealed::timer is about next_timeout() of
  // the transport.
  dtls::SendResult seal_data(Bytes application_data, MutableBytes out);

  // ---- outputs

  // `out` holds at least the path's MTU (dtls::kMaxDatagram always suffices). Empty while there is
  // no path to send to.
  std::optional<dtls::Transmit> poll_transmit(MutableBytes out);
  // Only what leaves over `path`, for an ICE agent that can't send on all of its paths yet. The
  // rest stays.
  std::optional<dtls::Transmit> poll_transmit(MutableBytes out, PathId path);
  std::optional<MutableBytes> poll_data();
  std::optional<MediaPacket> poll_media();
  std::optional<TransportEvent> poll_event();
  // As dtls::Connection::next_timeout().
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // ---- state

  // The path for what is protected or sealed now: the selected path, if it belongs to the
  // association that sends, and that association's own otherwise. After restart() the old
  // association sends first, then the new one, be it before ICE selects one of its paths. Empty
  // when there is none.
  [[nodiscard]] std::optional<PathId> path() const;
  // Of the newest association: after restart() the old one may still send meanwhile.
  [[nodiscard]] TransportWaitingFor waiting_for() const;
  // The association has failed or was closed by either side. After a failure, and after the peer
  // has closed, restart() begins another one.
  [[nodiscard]] bool ended() const;
  // Why it failed; empty while it has not ended, and if either side has closed it.
  [[nodiscard]] std::optional<dtls::Error> error() const;
  // Media and data can be sent, perhaps still under the keys from before a restart().
  [[nodiscard]] bool connected() const;
  // Of the association that sends; empty until TransportConnected.
  [[nodiscard]] std::optional<dtls::ConnectionInfo> info() const;
  [[nodiscard]] const MediaTransportStatistics& statistics() const;
  // Of the newest association; null before it has begun.
  [[nodiscard]] std::optional<dtls::Statistics> dtls_statistics() const;
  // Of the newest association; null before it carried media. For remove_ssrc() and its own
  // statistics.
  [[nodiscard]] srtp::Session* srtp_session();

 private:
  class Impl;
  explicit MediaTransport(std::unique_ptr<Impl> impl);
  srtp::Outcome protect(MediaKind kind, MutableBytes buffer, std::size_t size);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::transport
