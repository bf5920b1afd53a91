// External and resumption PSKs in DTLS 1.3 (RFC 8446 section 4.2.11).
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
  Buffer identity = {};    // of an external PSK, as the client sends it
  PeerIdentity peer = {};  // of the session that a resumption PSK resumes
};

Psk13 to_psk13(const PreSharedKey& key);
// Empty when may_resume() is false.
std::optional<Psk13> to_psk13(const StoredSession& session, Role role, const Context& context);
// The handshake uses this PSK, so it authenticates the peer.
Result<void> authenticate_by(Context& context, const Psk13& psk, Role role);

// ---- a client's side

// What the age of a ticket is computed from (RFC 8446 section 4.2.11.1).
struct TicketAge {
  Instant issued;
  std::uint32_t add;  // NewSessionTicket.ticket_age_add
};

struct PskOffer {
  Buffer identity;
  std::optional<TicketAge> age;  // empty for an external PSK
  Psk13 psk;
};

// The PSKs to offer: the session first, then those of the Config.
std::vector<PskOffer> make_psk_offers(const std::optional<ResumableSession>& session,
                                      const Context& context);
// Appends the extension with the ages that the tickets have now, and with empty binders, which
// put_binders() fills in.
void put_psk_offers(wire::Writer& out, const std::vector<PskOffer>& offers, Instant now);
// `hello` is the body of a ClientHello whose last extension put_psk_offers() has written.
Result<void> put_binders(Context& context, const std::vector<PskOffer>& offers, MutableBytes hello);

// ---- a server's side

// The first of the Config's psk_key_exchange_modes that the client offers (RFC 8446 section 4.2.9);
// empty when there is none. A hello without a key_share is used with psk_ke, whatever comes first:
// choose13() takes no other. Errors: decode_error.
Result<std::optional<PskKeyExchangeMode>> common_psk_mode(const ConfigOptions& config,
                                                          const message::ClientHello& hello);
// The PSKs that the client offers; empty without a mode in common. Errors: illegal_parameter,
// missing_extension, decode_error.
Result<std::optional<message::OfferedPsks>> take_offered_psks(const ConfigOptions& config,
                                                              const message::ClientHello& hello);
std::vector<Buffer> psk_identities(const message::OfferedPsks& offered);

struct ChosenPsk {
  std::uint16_t index;  // among the client's identities
  Psk13 psk;
};
// The first PSK that this side finds without asking the caller: in a ticket or in the Config.
Result<std::optional<ChosenPsk>> find_psk(Context& context, const message::OfferedPsks& offered);
// Whether to ask the caller about other PSKs.
[[nodiscard]] bool asks_for_psk(const ConfigOptions& config);
// The PSK in the caller's answer; empty when it has none that can be used.
std::optional<ChosenPsk> psk_of(const Answer& answer, const message::OfferedPsks& offered,
                                const Context& context);
// `hello` is the whole message. Errors: psk_mismatch with decrypt_error.
Result<void> check_binder(Context& context, const ChosenPsk& chosen,
                          const message::OfferedPsks& offered, Bytes hello);

}  // namespace sluice::dtls::handshake
