// What a DTLS 1.2 handshake negotiates, and the steps that both roles share.
#pragma once

#include <optional>

#include <sluice/dtls/protocol.h>

#include "crypto/key_exchange.h"
#include "crypto/public_key.h"
#include "negotiation/agreed_extensions.h"
#include "negotiation/context.h"
#include "schedule/keys12.h"

namespace sluice::dtls::handshake {

// The result of the hellos.
struct Negotiated12 {
  // no_unique_address, here and below: the next member begins in the padding.
  [[no_unique_address]] AgreedExtensions extensions;
  [[no_unique_address]] schedule::CipherSuite12Parameters suite;
  schedule::HelloRandoms randoms;
  bool extended_master_secret;
  bool resumed = false;
};

// The result of a complete handshake.
struct Session12 {
  [[no_unique_address]] Negotiated12 negotiated;
  schedule::MasterSecret master;
  std::optional<NamedGroup> group;  // of the first handshake; none with a PSK alone
};

// What the signature of ServerKeyExchange covers (RFC 8422 section 5.4).
Buffer signed_params(const schedule::HelloRandoms& randoms, Bytes params);

// The master secret. ClientKeyExchange must be in the transcript already.
Result<schedule::MasterSecret> derive_master(Context& context, const Negotiated12& negotiated,
                                             Bytes premaster);

// The protection of epoch 1.
struct Protection12 {
  record::Opener12 opener;
  record::Sealer12 sealer;
};
Result<Protection12> make_protection12(crypto::Library& library, const Negotiated12& negotiated,
                                       const schedule::MasterSecret& master, Role role);
// The room that the suite's protection takes in a record.
record::RecordRoom record_room12(const schedule::CipherSuite12Parameters& suite);
// Installs the keys of epoch 1 for both directions.
Result<void> install_keys(Context& context, const Negotiated12& negotiated,
                          const schedule::MasterSecret& master, Role role);

// Sends this side's Certificate, which is empty if no identity was chosen.
Result<void> send_certificate12(Context& context);
// Reads the certificate of the peer, whose role is `sender`, into Context::peer and returns its
// key; empty when the peer has no certificate.
Result<std::optional<crypto::PublicKey>> take_certificate12(
    Context& context, const Negotiated12& negotiated, Role sender,
    const flight::IncomingMessage& incoming);
// Sends ChangeCipherSpec and Finished.
Result<void> send_finished(Context& context, const Session12& session, Role sender);

// Checks the peer's Finished and adds it to the transcript.
Result<void> check_finished(Context& context, const Session12& session, Role sender,
                            const flight::IncomingMessage& incoming);

}  // namespace sluice::dtls::handshake
