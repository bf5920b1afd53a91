// What a DTLS 1.3 handshake negotiates, and the steps that both roles share.
#pragma once

#include <memory>
#include <optional>

#include <sluice/dtls/protocol.h>

#include "crypto/public_key.h"
#include "handshake13/session_secrets.h"
#include "negotiation/agreed_extensions.h"
#include "negotiation/context.h"
#include "schedule/keys13.h"

namespace sluice::dtls::handshake {

struct Negotiated13 {
  const schedule::CipherSuite13Parameters* suite;
  // no_unique_address, here and below: the next member begins in the padding.
  [[no_unique_address]] AgreedExtensions extensions = {};
  std::optional<NamedGroup> group;            // none with a PSK alone
  std::optional<schedule::PskKind> psk = {};  // empty: with certificates
  bool takes_tickets = false;                 // of the client
};

// What a ticket is made from. Kept as long as further tickets may be issued or received.
struct Resumption13 {
  schedule::HashSecret secret;
  PeerIdentity peer;
};

// The result of a complete handshake.
struct Session13 {
  [[no_unique_address]] Negotiated13 negotiated;
  std::unique_ptr<Resumption13> resumption;  // null: the session cannot be resumed
  [[no_unique_address]] SessionSecrets secrets;
};

// At the end of the handshake, with the client's Finished in the transcript. Null when the Config
// or the client does not want the session to be resumed.
Result<std::unique_ptr<Resumption13>> keep_for_resumption(
    Context& context, const Negotiated13& negotiated, const schedule::HandshakeSecrets& secrets);

// The protection under a traffic secret.
Result<record::Opener13> make_opener13(crypto::Library& library, const Negotiated13& negotiated,
                                       const schedule::HashSecret& traffic_secret);
Result<record::Sealer13> make_sealer13(crypto::Library& library, const Negotiated13& negotiated,
                                       const schedule::HashSecret& traffic_secret);

// The protection of the present epochs of application data.
struct Protection13 {
  record::Opener13 opener;
  record::Sealer13 sealer;
};
Result<Protection13> make_protection13(crypto::Library& library, const Session13& session,
                                       Role role);

// The limits of each key of the session.
inline record::KeyLimits key_limits13(const ConfigOptions& config, const Negotiated13& negotiated) {
  return record::key_limits13(negotiated.suite->aead, config);
}
// Installs the keys of one epoch for one direction.
Result<void> install_read13(Context& context, const Negotiated13& negotiated, wire::Epoch epoch,
                            const schedule::HashSecret& traffic_secret);
Result<void> install_write13(Context& context, const Negotiated13& negotiated, wire::Epoch epoch,
                             const schedule::HashSecret& traffic_secret);

// Sends this side's Certificate, which is empty if no identity was chosen.
Result<void> send_certificate13(Context& context);
// The signature for CertificateVerify; empty if the caller has been asked for it.
Result<std::optional<Buffer>> sign13(Context& context, Role signer);
Result<void> send_certificate_verify13(Context& context, Bytes signature);
Result<void> send_finished13(Context& context, const Negotiated13& negotiated,
                             const schedule::HashSecret& own_traffic_secret);

// Reads the certificate of the peer, whose role is `sender`, into Context::peer and returns its
// key; empty when the peer has no certificate.
Result<std::optional<crypto::PublicKey>> take_certificate13(
    Context& context, const Negotiated13& negotiated, Role sender,
    const flight::IncomingMessage& incoming);
Result<void> check_certificate_verify13(Context& context, const crypto::PublicKey& key, Role signer,
                                        const flight::IncomingMessage& incoming);
Result<void> check_finished13(Context& context, const Negotiated13& negotiated,
                              const schedule::HashSecret& peer_traffic_secret,
                              const flight::IncomingMessage& incoming);

}  // namespace sluice::dtls::handshake
