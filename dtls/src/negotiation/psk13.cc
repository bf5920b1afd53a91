#include "negotiation/psk13.h"

#include <algorithm>
#include <array>

#include "crypto/constant_time.h"
#include "negotiation/peer_certificate.h"
#include "negotiation/stored_session.h"

namespace sluice::dtls::handshake {
namespace {

using message::OfferedPsks;
using schedule::PskKind;
using wire::ExtensionType;

// The transcript up to the binders of this hello, which sign it (RFC 8446 section 4.2.11.2).
Result<crypto::Digest> truncated_hash(Context& context, HashAlgorithm hash, Bytes body,
                                      std::size_t binders_size) {
  std::array<std::byte, kTlsHeaderSize> header{std::byte{1}};
  wire::store(MutableBytes(header).subspan(1), body.size());
  return context.transcript.hash_with(context.library, hash, header,
                                      body.first(body.size() - binders_size));
}

std::vector<std::size_t> hash_sizes(const std::vector<PskOffer>& offers) {
  std::vector<std::size_t> sizes;
  sizes.reserve(offers.size());
  for (const auto& offer : offers) sizes.push_back(crypto::hash_size(offer.psk.hash));
  return sizes;
}

// RFC 8446 section 4.2.11.1: in milliseconds, modulo 2^32. Section 4.2.11: 0 for external PSKs.
std::uint32_t obfuscated_age(const std::optional<TicketAge>& ticket, Instant now) {
  if (!ticket) return 0;
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(
      saturating_difference(now, ticket->issued));
  return static_cast<std::uint32_t>(age.count()) + ticket->add;
}

// Whether the Config has a suite with the hash.
bool has_suite(const ConfigOptions& config, HashAlgorithm hash) {
  return std::ranges::any_of(config.cipher_suites, [&](CipherSuite id) {
    const auto* suite = schedule::find13(id);
    return suite != nullptr && suite->hash == hash;
  });
}

std::optional<Psk13> in_config(const ConfigOptions& config, Bytes identity) {
  for (const PreSharedKey& key : config.pre_shared_keys) {
    if (std::ranges::equal(key.identity(), identity)) return to_psk13(key);
  }
  return std::nullopt;
}

Result<std::optional<Psk13>> in_ticket(Context& context, Bytes ticket) {
  const auto opened = open_ticket(context, ticket);
  if (!opened) return forward_error(opened);
  return *opened ? to_psk13((*opened)->session, Role::server, context) : std::nullopt;
}

}  // namespace

Psk13 to_psk13(const PreSharedKey& key) {
  return {PskKind::external, key.hash(), Secret<PreSharedKey::kMaxKey>(key.key()),
          Buffer(key.identity().begin(), key.identity().end())};
}

std::optional<Psk13> to_psk13(const StoredSession& session, Role role, const Context& context) {
  const auto* suite = schedule::find13(session.cipher_suite);
  if (suite == nullptr || !may_resume(session, ProtocolVersion::dtls13, role, context)) {
    return std::nullopt;
  }
  return Psk13{PskKind::resumption,
               suite->hash,
               Secret<PreSharedKey::kMaxKey>(session.secret.bytes()),
               {},
               session.peer};
}

Result<void> authenticate_by(Context& context, const Psk13& psk, Role role) {
  if (psk.kind == PskKind::resumption) {
    resume_peer(context, psk.peer, role);
    return {};
  }
  return context.set_psk_identity(psk.identity, psk.key.bytes());
}

std::vector<PskOffer> make_psk_offers(const std::optional<ResumableSession>& session,
                                      const Context& context) {
  std::vector<PskOffer> offers;
  const auto offer = [&](Bytes identity, std::optional<TicketAge> age, std::optional<Psk13> psk) {
    if (!psk || offers.size() == kMaxOfferedPsks || !has_suite(context.config, psk->hash)) return;
    offers.push_back({Buffer(identity.begin(), identity.end()), age, std::move(*psk)});
  };
  if (session && context.config.resumption != Resumption::none) {
    const StoredSession& stored = session->session();
    offer(stored.ticket, TicketAge{stored.issued, stored.age_add},
          to_psk13(stored, Role::client, context));
  }
  for (const PreSharedKey& key : context.config.pre_shared_keys) {
    offer(key.identity(), std::nullopt, to_psk13(key));
  }
  return offers;
}

void put_psk_offers(wire::Writer& out, const std::vector<PskOffer>& offers, Instant now) {
  std::vector<message::PskIdentity> identities;
  identities.reserve(offers.size());
  for (const auto& offer : offers) {
    identities.push_back({offer.identity, obfuscated_age(offer.age, now)});
  }
  message::put_offered_psks(out, identities, hash_sizes(offers));
}

Result<void> put_binders(Context& context, const std::vector<PskOffer>& offers,
                         MutableBytes hello) {
  const std::size_t size = message::binders_size(hash_sizes(offers));
  MutableBytes binders = hello.last(size).subspan(2);
  for (const auto& [identity, age, psk] : offers) {
    const auto hash = truncated_hash(context, psk.hash, hello, size);
    if (!hash) return forward_error(hash);
    const auto binder =
        schedule::psk_binder(context.library, psk.hash, psk.kind, psk.key.bytes(), hash->bytes());
    if (!binder) return forward_error(binder);
    std::ranges::copy(binder->bytes(), binders.begin() + 1);
    binders = binders.subspan(1 + binder->size());
  }
  return {};
}

Result<std::optional<PskKeyExchangeMode>> common_psk_mode(const ConfigOptions& config,
                                                          const message::ClientHello& hello) {
  const auto data = hello.extensions.find(ExtensionType::psk_key_exchange_modes);
  if (!data) return std::nullopt;
  const auto offered = message::decode_psk_key_exchange_modes(*data);
  if (!offered) return malformed_extension("psk_key_exchange_modes");
  for (const PskKeyExchangeMode mode : config.psk_key_exchange_modes) {
    if (std::ranges::find(*offered, std::byte{wire::value_of(mode)}) != offered->end()) return mode;
  }
  return std::nullopt;
}

std::vector<Buffer> psk_identities(const OfferedPsks& offered) {
  std::vector<Buffer> identities;
  identities.reserve(offered.identities.size());
  for (const auto& [identity, age] : offered.identities) {
    identities.emplace_back(identity.begin(), identity.end());
  }
  return identities;
}

Result<std::optional<OfferedPsks>> take_offered_psks(const ConfigOptions& config,
                                                     const message::ClientHello& hello) {
  const auto data = hello.extensions.find(ExtensionType::pre_shared_key);
  if (!data) return std::nullopt;
  if (!hello.extensions.is_last(ExtensionType::pre_shared_key)) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "pre_shared_key isn't last");
  }
  if (!hello.extensions.has(ExtensionType::psk_key_exchange_modes)) {
    return fatal(Errc::illegal_parameter, Alert::missing_extension, "psk_key_exchange_modes");
  }
  const auto mode = common_psk_mode(config, hello);
  if (!mode) return forward_error(mode);
  const auto offered = OfferedPsks::decode(*data);
  if (!offered) return fatal(Errc::decode_error, Alert::decode_error, "pre_shared_key");
  return *mode ? offered : std::nullopt;
}

Result<std::optional<ChosenPsk>> find_psk(Context& context, const OfferedPsks& offered) {
  for (std::size_t i = 0; i < offered.identities.size(); ++i) {
    const Bytes identity = offered.identities[i].identity;
    auto psk = in_ticket(context, identity);
    if (!psk) return forward_error(psk);
    if (!*psk) *psk = in_config(context.config, identity);
    if (*psk) return ChosenPsk{static_cast<std::uint16_t>(i), std::move(**psk)};
  }
  return std::nullopt;
}

bool asks_for_psk(const ConfigOptions& config) {
  return config.ask_for_psk || config.resumption == Resumption::store;
}

std::optional<ChosenPsk> psk_of(const Answer& answer, const OfferedPsks& offered,
                                const Context& context) {
  std::size_t index = 0;
  std::optional<Psk13> psk;
  if (const auto* use = std::get_if<UsePsk>(&answer)) {
    index = use->index;
    psk = to_psk13(use->key);
    // The client's name for the key counts; the caller's may differ.
    const Bytes identity = offered.identities[index].identity;
    psk->identity.assign(identity.begin(), identity.end());
  } else if (const auto* resume = std::get_if<ResumeSession>(&answer)) {
    index = resume->index;
    psk = to_psk13(resume->session.session(), Role::server, context);
  }
  if (!psk) return std::nullopt;
  return ChosenPsk{static_cast<std::uint16_t>(index), std::move(*psk)};
}

Result<void> check_binder(Context& context, const ChosenPsk& chosen, const OfferedPsks& offered,
                          Bytes hello) {
  const Psk13& psk = chosen.psk;
  const auto hash = truncated_hash(context, psk.hash, hello.subspan(message::kHandshakeHeaderSize),
                                   offered.binders_size);
  if (!hash) return forward_error(hash);
  const auto expected =
      schedule::psk_binder(context.library, psk.hash, psk.kind, psk.key.bytes(), hash->bytes());
  if (!expected) return forward_error(expected);
  if (!crypto::equal(expected->bytes(), offered.binders[chosen.index])) {
    return fatal(Errc::psk_mismatch, Alert::decrypt_error,
                 "the binder did not verify: the keys of the two sides differ");
  }
  return {};
}

}  // namespace sluice::dtls::handshake
