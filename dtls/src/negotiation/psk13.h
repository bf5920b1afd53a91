// Pre-shared keys in DTLS 1.3, external ones and those of tickets (RFC 8446 section 4.2.11).
#pragma once

#include <optional>
#include <vector>

#include <sluice/dtls/event.h>

#include "message/client_hello.h"
#include "message/pre_shared_key.h"
#include "negotiation/context.h"
#include "negotiation/stored_session.h"
#include "schedule/keys13.h"

namespace sluice::dtls::handshake {

struct Psk13 {
  schedule::PskKind kind = schedule::PskKind::external;
  HashAlgorithm hash = HashAlgorithm::sha256;
  Secret<PreSharedKey::kMaxKey> key;
  // Of the session that is resumed: what the peer showed then.
  Buffer peer_certificate;
  bool is_peer_authenticated_by_psk = true;
  std::optional<std::string> verified_name = {};

  [[nodiscard]] KnownPeer peer() const {
    return {peer_certificate, is_peer_authenticated_by_psk, verified_name};
  }
};

Psk13 to_psk13(const PreSharedKey& key);
// Empty when the session can't be resumed: it has expired, is of another version, was with a server
// of another name or, for a server that wants certificates, hasn't one.
std::optional<Psk13> to_psk13(const StoredSession& session, Role role, const Context& context);

// ---- a client's side

struct PskOffer {
  Buffer identity;
  std::uint32_t obfuscated_ticket_age = 0;
  Psk13 psk;
};

// What there is to offer, the session first.
std::vector<PskOffer> make_psk_offers(const std::optional<ResumableSession>& session,
                                      const Context& context);
// Appends the extension, with binders that put_binders() fills in.
void put_psk_offers(wire::Writer& out, const std::vector<PskOffer>& offers);
// `hello` is the body of a ClientHello that ends with put_psk_offers().
Result<void> put_binders(Context& context, const std::vector<PskOffer>& offers, MutableBytes hello);

// ---- a server's side

// What the client offers, if a mode with forward secrecy is among it. Errors: illegal_parameter,
// missing_extension, decode_error.
Result<std::optional<message::OfferedPsks>> take_offered_psks(const message::ClientHello& hello);

// Whether the client can resume what a ticket is for (RFC 8446 section 4.2.9). Errors:
// decode_error.
Result<bool> takes_tickets13(const message::ClientHello& hello);
std::vector<Buffer> psk_identities(const message::OfferedPsks& offered);

struct ChosenPsk {
  std::uint16_t index;  // among the client's identities
  Psk13 psk;
};
// The first that is known without asking: of a ticket, or in the Config.
Result<std::optional<ChosenPsk>> find_psk(Context& context, const message::OfferedPsks& offered);
[[nodiscard]] bool asks_for_psk(const ConfigOptions& config);
// What the answer says; empty when nothing of use.
std::optional<ChosenPsk> psk_of(const Answer& answer, const Context& context);
// Errors: decrypt_error. `hello` is a whole message.
Result<void> check_binder(Context& context, const ChosenPsk& chosen,
                          const message::OfferedPsks& offered, Bytes hello);

}  // namespace sluice::dtls::handshake
