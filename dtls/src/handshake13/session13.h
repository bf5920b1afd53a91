// What a DTLS 1.3 handshake agrees on, while it runs and when it is done; the steps both roles
// share.
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
  NamedGroup group;
  AgreedExtensions extensions = {};
  std::optional<schedule::PskKind> psk = {};  // where it took the place of certificates
  bool takes_tickets = false;                 // the client does
};

// What tickets are made of, for as long as there may be more.
struct Resumption13 {
  schedule::HashSecret secret;
  PeerIdentity peer;
};

// A complete handshake: what exporters and key updates need from now on.
struct Session13 {
  Negotiated13 negotiated;
  SessionSecrets secrets;
  std::unique_ptr<Resumption13> resumption;  // null when it isn't to be resumed
};

// At the end of the handshake, the client's Finished in the transcript. Null when the Config or the
// client don't want the session to be resumed.
Result<std::unique_ptr<Resumption13>> keep_for_resumption(Context& context,
                                                          const Negotiated13& negotiated,
                                                          const schedule::HandshakeSecrets& secrets,
                                                          Role role);

// What reads and writes under a traffic secret.
Result<record::Opener13> make_opener13(crypto::Library& library, const Negotiated13& negotiated,
                                       const schedule::HashSecret& traffic_secret);
Result<record::Sealer13> make_sealer13(crypto::Library& library, const Negotiated13& negotiated,
                                       const schedule::HashSecret& traffic_secret);

// What the present epochs of application data are opened and sealed with.
struct Protection13 {
  record::Opener13 opener;
  record::Sealer13 sealer;
};
Result<Protection13> make_protection13(crypto::Library& library, const Session13& session,
                                       Role role);

// How long keys serve is known with the suite: before the first are installed.
void set_key_limits13(Context& context, const Negotiated13& negotiated);
// Installs one direction's keys of an epoch.
Result<void> install_read13(Context& context, const Negotiated13& negotiated, wire::Epoch epoch,
                            const schedule::HashSecret& traffic_secret);
Result<void> install_write13(Context& context, const Negotiated13& negotiated, wire::Epoch epoch,
                             const schedule::HashSecret& traffic_secret);

// Certificate of this side: an empty one without Context::own.
Result<void> send_certificate13(Context& context);
// Its signature over all so far; empty where somebody has to be asked for it.
Result<std::optional<Buffer>> sign13(Context& context, Role signer);
Result<void> send_certificate_verify13(Context& context, Bytes signature);
Result<void> send_finished13(Context& context, const Negotiated13& negotiated,
                             const schedule::HashSecret& own_traffic_secret);

// The peer's Certificate: its chain goes to the context. Empty: it has none.
Result<std::optional<crypto::PublicKey>> take_certificate13(
    Context& context, const flight::IncomingMessage& incoming);
Result<void> check_certificate_verify13(Context& context, const crypto::PublicKey& key, Role signer,
                                        const flight::IncomingMessage& incoming);
Result<void> check_finished13(Context& context, const Negotiated13& negotiated,
                              const schedule::HashSecret& peer_traffic_secret,
                              const flight::IncomingMessage& incoming);

}  // namespace sluice::dtls::handshake
