// The sessions of an IceLiteServer: their handles, credentials and options.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/protocol.h>
#include <sluice/transport/media_transport.h>

namespace sluice::ice_lite {

// One session of an IceLiteServer. No other session of that server ever gets the same handle.
enum class SessionHandle : std::uint64_t {};
// Never that of a session.
inline constexpr SessionHandle kNoSession{UINT64_MAX};

// A small number that no other session of the same server has at the same time, for tables of the
// caller.
constexpr std::uint32_t slot_of(SessionHandle handle) { return static_cast<std::uint32_t>(handle); }

// a=ice-ufrag and a=ice-pwd (RFC 8839 section 5.4): 4 to 256 and 22 to 256 letters, digits, '+' and
// '/'. The password is a secret.
struct Credentials {
  std::string ufrag;
  std::string pwd;

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

struct SessionOptions {
  // Of the session's MediaTransport; its max_paths must be at least
  // ServerOptions::max_tuples_per_session. MediaTransportOptions::dtls is required.
  transport::MediaTransportOptions transport = {};
  // Our DTLS role, by a=setup. Empty: it is not known yet, and apply() calls
  // MediaTransport::start() later. Where this side offers actpass, begin as server
  // (RFC 5763 section 5).
  std::optional<dtls::Role> role = dtls::Role::server;
  // The peer's a=fingerprint lines. Empty: they come later, by
  // IceLiteServer::set_peer_fingerprints().
  std::vector<dtls::Fingerprint> peer_fingerprints = {};
  // Ours. Empty: random ones, of 8 and 24 characters (48 and 144 bits). No other session of the
  // server may have the same ufrag.
  std::optional<Credentials> local = {};
  // The peer's a=ice-ufrag. Empty: not known yet (RFC 8445 section 7.3), see
  // IceLiteServer::set_remote_ufrag(). Once it is known, checks with another one are dropped, such
  // as those of a second answerer of the same offer. The peer's password has no use: a lite agent
  // sends no checks.
  std::string remote_ufrag = {};
  // The round-trip time to the peer, if it is known, such as from signalling or an earlier session.
  // A lite agent sends no checks that would measure it. DTLS takes twice that for its first
  // retransmission in place of 1 s. Empty: measured once, from the first response to the peer's
  // checks until its ClientHello. IceLiteServer::set_rtt() replaces it.
  std::optional<dtls::Duration> rtt = {};
  // DTLS in STUN (SPED), where both SDPs have the option kDtlsInStunOption: the peer's first check
  // brings its ClientHello, and responses carry our handshake. It saves a round trip, and on lossy
  // paths the waits for retransmissions. A peer that does not use it is served as any other.
  bool dtls_in_stun = false;
};

// What restart_ice() changes.
struct IceRestart {
  // As in SessionOptions. They must differ from the present ones (RFC 8445 section 9).
  std::optional<Credentials> local = {};
  std::string remote_ufrag = {};
  // Where the new description also begins a new DTLS association (RFC 8842 section 3.1): the role
  // and the fingerprints for MediaTransport::restart().
  struct Dtls {
    dtls::Role role{};
    std::vector<dtls::Fingerprint> peer_fingerprints = {};
  };
  std::optional<Dtls> dtls = {};
};

}  // namespace sluice::ice_lite
