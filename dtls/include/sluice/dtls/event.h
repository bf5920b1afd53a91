// Events of a connection, its questions and their answers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/identity.h>
#include <sluice/dtls/path.h>
#include <sluice/dtls/pre_shared_key.h>
#include <sluice/dtls/resumption.h>
#include <sluice/dtls/statistics.h>

namespace sluice::dtls {

class Config;  // <sluice/dtls/config.h>
using ConfigPtr = std::shared_ptr<const Config>;

enum class QuestionId : std::uint32_t {};

// The QuestionId of a question that takes `Answers`, a variant: an answer of another kind does not
// compile.
template <class Answers>
class QuestionOf {
 public:
  constexpr QuestionOf() = default;
  constexpr explicit QuestionOf(QuestionId id) : id_(id) {}
  [[nodiscard]] constexpr QuestionId id() const { return id_; }
  friend constexpr bool operator==(const QuestionOf&, const QuestionOf&) = default;

 private:
  QuestionId id_{};
};

// ---- answers

// To PeerCertificateReceived and ConnectionToVerify.
struct AcceptPeer {};
struct RejectPeer {
  Alert alert = Alert::bad_certificate;
};
using PeerAnswer = std::variant<AcceptPeer, RejectPeer>;

// To PskRequested. `index` is into its identities; 0 on a client. In DTLS 1.3 an unusable session
// or NoPsk leaves the choice to certificates, if there are any. A wrong key ends the handshake with
// decrypt_error, and so does an unknown identity where there are no certificates, so that an
// observer cannot tell them apart. In DTLS 1.2 both look the same, too: the client's Finished
// cannot be decrypted and counts as Discard::authentication_failed until the handshake times out. A
// client without a key ends the handshake. At most one answer per question.
struct UsePsk {
  std::size_t index{};
  PreSharedKey key;
};
struct NoPsk {};
// To SessionRequested and PskRequested. `index` is 0 for SessionRequested. An expired or unusable
// session leads to a full handshake, as NoSession does.
struct ResumeSession {
  std::size_t index{};
  ResumableSession session;
};
struct NoSession {};

// To IdentityRequested. After NoIdentity the Config's identities are used; without any a server
// ends the handshake, a client sends no certificate.
struct UseIdentity {
  Identity identity;
};
struct NoIdentity {};
// To SignatureRequested; ECDSA signatures in DER. The signature is not checked here. NoSignature
// ends the handshake with internal_error (Errc::signing_failed).
struct Signature {
  Buffer value;
};
struct NoSignature {};

// To ConfigRequested.
//
// The connection goes on as if it had been made with `config`, which may also be the present one.
// What the connection has used already must be equal in both: mtu, timers, replay_window,
// record_padding, max_handshake_message, max_reassembly and max_unaccepted_data. After a Listener,
// which has answered the first ClientHello by its own Config, `config` must also lead to the same
// version, and in DTLS 1.3 allow the suite and group of the HelloRetryRequest; otherwise the
// handshake fails with handshake_failure. It must have all that a server needs, such as an identity
// or PSKs, whether or not it has ask_for_config too, which asks nothing more.
struct UseConfig {
  ConfigPtr config;
};
// Ends the handshake with this alert (peer_rejected), such as unrecognized_name or access_denied.
struct RefuseConnection {
  Alert alert = Alert::handshake_failure;
};

// Of any question.
using Answer =
    std::variant<AcceptPeer, RejectPeer, UsePsk, NoPsk, ResumeSession, NoSession, UseIdentity,
                 NoIdentity, Signature, NoSignature, UseConfig, RefuseConnection>;

// ---- events

// With ConfigOptions::ask_for_config, on a server: which Config answers this ClientHello? Sent
// once, before the connection reads anything but the ClientHello by its Config. The handshake waits
// for answer(). The names come from the client and are not authenticated.
struct ConfigRequested {
  using Answer = std::variant<UseConfig, RefuseConnection>;
  QuestionOf<Answer> question;
  std::string server_name;                         // SNI; empty: none
  std::vector<std::string> application_protocols;  // ALPN, in the client's order; often empty
  // What the client offers, unknown numbers included. A client without supported_versions offers
  // the version of its hello.
  std::vector<ProtocolVersion> versions;
  std::vector<CipherSuite> cipher_suites;
};

// Asks whether this is the right peer. Sent when the peer's certificate has arrived, unless
// set_peer_fingerprints() was called before, or the chain has been verified
// (ConfigOptions::trust_store) and ask_about_verified_peer is off. The handshake goes on; Connected
// and data wait for Connection::answer() with AcceptPeer or RejectPeer.
struct PeerCertificateReceived {
  using Answer = PeerAnswer;
  QuestionOf<Answer> question;
  // DER, the peer's own certificate first. Of a raw public key it has only that, a
  // SubjectPublicKeyInfo.
  std::vector<Buffer> chain;
  CertificateType type = CertificateType::x509;
};

// Asks for a key. On a server: a client offers PSKs that the Config does not contain; is one an
// external PSK or, with Resumption::store, a stored session? On a DTLS 1.2 client without
// pre_shared_keys: which key belongs to this server? Sent at most once, if
// ConfigOptions::ask_for_psk or the store allows it. The handshake waits for answer().
struct PskRequested {
  using Answer = std::variant<NoPsk, UsePsk, ResumeSession>;
  QuestionOf<Answer> question;
  std::vector<Buffer> identities;  // in the client's order, at most kMaxOfferedPsks; on a client
                                   // empty
  Buffer hint;  // on a client: the server's hint (RFC 4279 section 5.2); may be empty
};

// On a DTLS 1.2 server with Resumption::store: a client asks to resume the session `id`; is it in
// the store? The handshake waits for Connection::answer(). (In DTLS 1.3 the name is one of the
// identities of PskRequested.)
struct SessionRequested {
  using Answer = std::variant<NoSession, ResumeSession>;
  QuestionOf<Answer> question;
  Buffer id;  // SessionToStore::id, or any other bytes: at most 32
};

// With ConfigOptions::ask_for_identity: which certificate and key? On a server before it answers a
// ClientHello (in DTLS 1.2 a PSK may still be chosen), on a client when the server requests its
// certificate. The handshake waits for Connection::answer().
struct IdentityRequested {
  using Answer = std::variant<NoIdentity, UseIdentity>;
  QuestionOf<Answer> question;
  std::string server_name;                         // the name the client asks for
  std::vector<SignatureScheme> signature_schemes;  // that the peer accepts
  // Distinguished names (DER) of the certificate authorities that the peer names; often empty.
  std::vector<Buffer> authorities;
  // The types of certificate that the peer accepts and own_certificate_types has.
  std::vector<CertificateType> certificate_types;
};

// With an Identity whose key is kept elsewhere: sign `content` by `scheme`, which says how to hash
// it. The handshake waits for Connection::answer(); no part of the flight is sent before.
struct SignatureRequested {
  using Answer = std::variant<NoSignature, Signature>;
  QuestionOf<Answer> question;
  // DER, the certificate of the signing key; of an Identity without one its SubjectPublicKeyInfo.
  Buffer certificate;
  SignatureScheme scheme;
  Buffer content;
};

// With ConfigOptions::ask_about_connection: the peer is accepted and the handshake complete; is the
// result acceptable? Connected waits for Connection::answer().
struct ConnectionToVerify {
  using Answer = PeerAnswer;
  QuestionOf<Answer> question{};
  ConnectionInfo info;
};

// The handshake is complete, the peer is accepted, and poll_transmit() has returned the last flight
// of this side: keys can be exported, and what is sealed or closed now is sent after the messages
// that the peer needs to read it.
struct Connected {
  ConnectionInfo info;
};

// The peer has sent close_notify. Earlier data has been delivered; our close_notify is queued.
struct Closed {};

// On a client, after Connected: resumes this session when passed to the next Connection::client().
// Can come several times, or never. A resumed DTLS 1.2 session is reported again, renewed or
// unchanged.
struct SessionReceived {
  ResumableSession session;
};
// On a server with Resumption::store, after Connected: store it under `id`, by which a client will
// ask for it (PskRequested, SessionRequested). ResumptionStore does this.
struct SessionToStore {
  Buffer id;
  ResumableSession session;
};

// A return routability check (ConfigOptions::return_routability) has shown that the peer is at
// `to`: path() is that now, as after set_path(). Application data goes there from now on. Where the
// connection has moved again before the event is polled, one event has the first `from` and the
// last `to`.
struct PathChanged {
  PathId from{};
  PathId to{};
};

using Event = std::variant<PeerCertificateReceived, PskRequested, SessionRequested,
                           IdentityRequested, SignatureRequested, ConnectionToVerify, Connected,
                           SessionReceived, SessionToStore, Closed, ConfigRequested, PathChanged>;

}  // namespace sluice::dtls
