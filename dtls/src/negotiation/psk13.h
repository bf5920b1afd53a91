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
  // Whom the PSK authenticates; for a resumption PSK as its session has found.
  PeerIdentity peer = {};
};

Psk13 to_psk13(const PreSharedKey& key);
// Empty when may_resume() is false.
std::optional<Psk13> to_psk13(const StoredSession& session, Role role, const Context& context);
// The handshake uses this PSK, so it authenticates the peer.
void authenticate_by(Context& context, const Psk13& psk, Role role);

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
// The PSK in the caller's answer; empty when it has none that can be used.
std::optional<ChosenPsk> psk_of(const Answer& answer, const message::OfferedPsks& offered,
                                const Context& context);
// Errors: decrypt_error. `hello` is a whole message.
Result<void> check_binder(Context& context, const ChosenPsk& chosen,
                          const message::OfferedPsks& offered, Bytes hello);

}  // namespace sluice::dtls::handshake
