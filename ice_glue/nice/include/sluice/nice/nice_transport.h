// A whole WebRTC transport with libnice: ICE, DTLS, SRTP and data in a GLib main context.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/nice/description.h>
#include <sluice/nice/ice_options.h>
#include <sluice/nice/ice_state.h>
#include <sluice/nice/transport_error.h>
#include <sluice/transport/media_transport.h>

// GLib's GMainContext.
struct _GMainContext;  // NOLINT(bugprone-reserved-identifier,readability-identifier-naming)

namespace sluice::nice {

using dtls::Bytes;
using dtls::MutableBytes;

struct NiceTransportOptions {
  // media.dtls is required. media.srtp.cryptex is what this side wants: the remote description says
  // what becomes of it.
  transport::MediaTransportOptions media = {};
  IceOptions ice = {};
  // Our role when the peer offers actpass. passive, for which actpass counts as well: we are the
  // DTLS server, whose order of SRTP profiles and groups decides. active, which RFC 8842
  // section 5.3 recommends: the handshake can begin before the peer has the answer, but the peer
  // decides.
  Setup answer_setup = Setup::passive;
};

struct CloseReason {
  enum class Cause : std::uint8_t {
    local,  // close()
    peer,   // close_notify
    error,  // `error` says which
  };
  Cause cause{};
  std::optional<dtls::Error> error = {};
};

// What a NiceTransport reports to its user. All calls come on the context's thread and from its
// dispatch, never from within a method of NiceTransport; each may call any method, also destroy the
// transport. Spans are valid until the call returns, or until it calls a method other than the
// sending ones.
class NiceTransportListener {
 public:
  // A local candidate of the newest ICE generation, "candidate:...", with its ufrag as an
  // extension.
  virtual void on_local_candidate(std::string_view) {}
  // All local candidates have been reported, until a restart: end-of-candidates.
  virtual void on_local_candidates_done() {}
  // Of the newest generation: after a restart it begins again, while media goes on over the old
  // path. After failed either restart_ice() or close().
  virtual void on_ice_state(IceState) {}
  // From now on packets are sent on this pair.
  virtual void on_selected_pair(const CandidatePair&) {}
  // The peer's certificate has an announced fingerprint: media and data can be sent. Comes again
  // for a DTLS association that a restart with a new fingerprint began.
  virtual void on_connected(const dtls::ConnectionInfo& info) = 0;
  virtual void on_rtp(MutableBytes packet) = 0;
  virtual void on_rtcp(MutableBytes packet) = 0;
  virtual void on_data(MutableBytes data) = 0;
  // As transport::TransportSsrcLimit.
  virtual void on_ssrc_limit(srtp::Direction) {}
  // The last call.
  virtual void on_closed(const CloseReason& reason) = 0;

 protected:
  ~NiceTransportListener() = default;
};

// The result of sending a packet or data. With all but `sent` it was dropped; the transport remains
// usable.
enum class SendStatus : std::uint8_t {
  sent,
  not_connected,  // not yet, or no longer
  blocked,        // no path at the moment, or the socket's buffer is full
  refused,        // the peer's consent is lost, or the network refused
  malformed,      // no RTP or RTCP packet of version 2, or an extension that cryptex can't encrypt
  repeated,       // another packet was sent under this SRTP index, or this one too long ago
  too_large,      // above kMaxSend
  too_many_ssrcs,
  limit_reached,  // the keys are used up
  failed,         // libsrtp or libcrypto failed
};

std::string_view to_string(SendStatus status);

// The largest packet or data that is sent, in bytes: what a DTLS record holds. IP fragments or
// loses datagrams above the path's MTU: SCTP and RTP packetisation have to keep below it (1200
// bytes are safe).
inline constexpr std::size_t kMaxSend = dtls::kMaxApplicationData;

// Designed for tens of sessions per process: each has a UDP socket per local address, and a GLib
// context drives its sockets and timers. A server with thousands of sessions uses MediaTransport
// (sluice::transport) under an ICE agent that shares one port.
//
// One transport carries a whole BUNDLE group (RFC 9143), with RTP and RTCP multiplexed (rtcp-mux,
// RFC 5761): ICE has one component.
//
// Threading: a NiceTransport belongs to the thread that runs its context, as do its Environment and
// listener; make, use and destroy it there, or while nothing runs the context. Hosts without a GLib
// loop use GlibThread's post() or call(); many sessions share one GlibThread.
//
// Lifetime: may be destroyed at any time, also in a call of the listener. A connected peer gets a
// close_notify. Allocations on TURN servers are released while the context continues to run.
class NiceTransport {
 public:
  // `context` drives the transport; null is GLib's default one. `environment` and `listener`
  // outlive the transport. Errors: invalid_options.
  static TransportResult<NiceTransport> make(const NiceTransportOptions& options,
                                             dtls::Environment& environment, _GMainContext* context,
                                             NiceTransportListener& listener);

  NiceTransport(NiceTransport&&) noexcept;
  NiceTransport& operator=(NiceTransport&&) noexcept;
  ~NiceTransport();

  // ---- signalling

  // Opens the sockets and gathers; candidates come by the listener and into local_description().
  // Does nothing when called again. Errors: gathering_failed, closed.
  TransportResult<void> gather();

  // To be put into an offer or an answer; needs gather(). setup is actpass until the peer's part
  // for this ICE generation is known. tls_id is empty when the peer has none. With trickle it can
  // leave at once; without, wait for on_local_candidates_done().
  [[nodiscard]] Description local_description() const;

  // The peer's part of an offer or an answer; gathers if that wasn't done. With known credentials
  // its candidates are added. New credentials are an ICE restart of the peer's, for which
  // local_description() has the answer. A new fingerprint, tls-id or role begins a new DTLS
  // association, and needs an ICE restart. Candidates that can't be used are skipped and counted.
  // Errors: invalid_credentials, no_fingerprint, no_cryptex, needs_ice_restart, gathering_failed,
  // closed, and invalid_setup for an answer that says actpass (RFC 8842 section 5.3); then nothing
  // has changed. A certificate that doesn't match ends the transport: on_closed().
  TransportResult<void> set_remote_offer(const Description& description);
  TransportResult<void> set_remote_answer(const Description& description);
  // Trickle: one line "candidate:...", with or without "a=".
  CandidateStatus add_remote_candidate(std::string_view line);
  void end_of_remote_candidates();

  // Makes new credentials and sockets; the current path is used until a new one is found. Put the
  // new local_description() into an offer, and pass the answer to set_remote_answer(). Errors:
  // gathering_failed, closed.
  TransportResult<void> restart_ice();

  // Sends close_notify; on_closed() follows.
  void close();

  // ---- sending

  // The same packet may be sent again, as srtp::Session::protect_rtp() says.
  SendStatus send_rtp(Bytes packet);
  SendStatus send_rtcp(Bytes packet);
  // One DTLS record, such as an SCTP packet.
  SendStatus send_data(Bytes data);

  // ---- state

  [[nodiscard]] bool connected() const;
  // Empty until connected.
  [[nodiscard]] std::optional<dtls::ConnectionInfo> info() const;
  // What the descriptions have agreed on.
  [[nodiscard]] srtp::Cryptex cryptex() const;
  // For a dashboard: state, selected_pair and the bytes. Where sends_blocked or sends_refused grow,
  // the path is gone or the socket's buffer is full.
  [[nodiscard]] IceStatistics ice_statistics() const;
  [[nodiscard]] const transport::MediaTransportStatistics& media_statistics() const;
  // Empty before the handshake begins.
  [[nodiscard]] std::optional<dtls::Statistics> dtls_statistics() const;
  // Null before it carries media.
  [[nodiscard]] srtp::Session* srtp_session();

 private:
  class Impl;
  explicit NiceTransport(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::nice
