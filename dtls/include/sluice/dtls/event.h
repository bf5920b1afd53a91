// What a connection tells its user, and asks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/identity.h>
#include <sluice/dtls/pre_shared_key.h>
#include <sluice/dtls/resumption.h>
#include <sluice/dtls/statistics.h>

namespace sluice::dtls {

enum class QuestionId : std::uint32_t {};

// Is this the peer that was meant? Asked when its certificate has arrived, unless
// Connection::set_peer_fingerprints() came before it or its chain has been verified
// (ConfigOptions::trust_store, ask_about_verified_peer). The handshake goes on meanwhile; there is
// no Connected before Connection::answer().
struct PeerCertificateReceived {
  QuestionId question;
  std::vector<Buffer> chain;  // DER, the peer's own certificate first
};

// To a server: a client offers PSKs that the Config doesn't know; is one of them an external PSK
// or, with Resumption::store, a session of the caller's store? To a client of DTLS 1.2 without
// pre_shared_keys: which key does this server mean? Asked at most once, and only where
// ConfigOptions::ask_for_psk or the store allow it. The handshake waits for Connection::answer().
struct PskRequested {
  QuestionId question;
  std::vector<Buffer> identities;  // in the client's order; at most kMaxOfferedPsks. To a client:
                                   // none
  Buffer hint;  // to a client, of the server (RFC 4279 section 5.2); may be empty
};

// To a server of DTLS 1.2 with Resumption::store: a client offers to resume the session of this
// name; is it in the caller's store? The handshake waits for Connection::answer(). (In DTLS 1.3 the
// name is one of the identities of PskRequested.)
struct SessionRequested {
  QuestionId question;
  Buffer id;  // of a SessionToStore, or anything: at most 32 bytes
};

// With ConfigOptions::ask_for_identity: which certificate and key are to be used? To a server
// before it answers a ClientHello in full, which in DTLS 1.2 may still be with a PSK, to a client
// when the server wants its certificate. The handshake waits for Connection::answer().
struct IdentityRequested {
  QuestionId question;
  std::string server_name;                         // that a client asks for; to a client: its own
  std::vector<SignatureScheme> signature_schemes;  // that the peer takes
  // Distinguished names (DER) of whom the peer would like to have signed it; often none.
  std::vector<Buffer> authorities;
};

// To who uses an Identity whose key is elsewhere: sign `content` by `scheme`, which says how to
// hash it. The handshake waits for Connection::answer(); nothing of the flight has left yet.
struct SignatureRequested {
  QuestionId question;
  Buffer certificate;  // DER, of the key that is to sign
  SignatureScheme scheme;
  Buffer content;
};

// With ConfigOptions::ask_about_connection: the peer has been accepted and the handshake is
// complete; is it as the caller wants it? There is no Connected before Connection::answer().
struct ConnectionToVerify {
  QuestionId question{};
  ConnectionInfo info;
};

// The handshake is complete and the peer accepted: keys can be exported, data sent.
struct Connected {
  ConnectionInfo info;
};

// The peer has sent close_notify; what it sent before has been delivered. Ours has been queued.
struct Closed {};

// To a client after Connected: what resumes this session, for the next Connection::client(). May
// come several times, or never. A session of DTLS 1.2 that was resumed itself comes again, renewed
// or as it was.
struct SessionReceived {
  ResumableSession session;
};
// To a server with Resumption::store, after Connected: to be kept under `id`, which a client will
// offer to resume it (PskRequested, SessionRequested). ResumptionStore does that.
struct SessionToStore {
  Buffer id;
  ResumableSession session;
};

using Event = std::variant<PeerCertificateReceived, PskRequested, SessionRequested,
                           IdentityRequested, SignatureRequested, ConnectionToVerify, Connected,
                           SessionReceived, SessionToStore, Closed>;

// Answers to PeerCertificateReceived and ConnectionToVerify.
struct AcceptPeer {};
struct RejectPeer {
  Alert alert = Alert::bad_certificate;
};
// Answers to PskRequested; `index` counts its identities from 0, and is 0 for a client. In DTLS 1.3
// a session that has expired or doesn't fit any more is as good as none, and so is no PSK: the
// certificates decide, if there are any. A key that isn't the client's ends the handshake with
// decrypt_error, and so does an identity that nobody knows where there are no certificates: from
// outside the two look the same. In DTLS 1.2 they do too: either way the client's Finished can't be
// read, and counts as Discard::authentication_failed until the handshake times out. A client that
// has no key ends the handshake.
struct UsePsk {
  std::size_t index{};
  PreSharedKey key;
};
struct NoPsk {};
// Answers to SessionRequested, the first also to PskRequested. `index` is 0 where there is but one
// to choose. A session that has expired or doesn't fit any more is as good as none: the handshake
// is a full one then.
struct ResumeSession {
  std::size_t index{};
  ResumableSession session;
};
struct NoSession {};

// Answers to IdentityRequested. Without one the Config's are looked at; a server that has none
// there ends the handshake, a client shows no certificate.
struct UseIdentity {
  Identity identity;
};
struct NoIdentity {};
// Answers to SignatureRequested; ECDSA's are in DER. It isn't checked here: the peer does that.
// Without one the handshake ends with internal_error.
struct Signature {
  Buffer value;
};
struct NoSignature {};

using Answer = std::variant<AcceptPeer, RejectPeer, UsePsk, NoPsk, ResumeSession, NoSession,
                            UseIdentity, NoIdentity, Signature, NoSignature>;

}  // namespace sluice::dtls
