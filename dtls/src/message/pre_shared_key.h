// The pre_shared_key and psk_key_exchange_modes extensions (RFC 8446 sections 4.2.9 and 4.2.11).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "message/extension_block.h"

namespace sluice::dtls::message {

enum class PskKeyExchangeMode : std::uint8_t { psk_ke = 0, psk_dhe_ke = 1 };

struct PskIdentity {
  Bytes identity;
  std::uint32_t obfuscated_ticket_age = 0;
};

// A client's offer: as many binders as identities. Views of the message.
struct OfferedPsks {
  // No client offers more: further ones aren't looked at.
  static constexpr std::size_t kMaxIdentities = 8;

  std::vector<PskIdentity> identities;
  std::vector<Bytes> binders;
  std::size_t binders_size = 0;  // of the whole list, its length included: what no binder covers

  // Empty when malformed.
  static std::optional<OfferedPsks> decode(Bytes data);
};

// Bytes of a binders list for hashes of these sizes, its length included.
std::size_t binders_size(std::span<const std::size_t> hash_sizes);

// The extension with binders of these sizes, all zero: their places are filled when everything
// before them is known.
void put_offered_psks(wire::Writer& out, std::span<const PskIdentity> identities,
                      std::span<const std::size_t> hash_sizes);

// The one that a ServerHello chose, counted from 0; empty when malformed.
std::optional<std::uint16_t> decode_selected_identity(Bytes data);
void put_selected_identity(wire::Writer& out, std::uint16_t selected);

// Whether the list has psk_dhe_ke, the one mode with forward secrecy; empty when malformed.
std::optional<bool> decode_offers_psk_dhe_ke(Bytes data);
void put_psk_key_exchange_modes(wire::Writer& out);

}  // namespace sluice::dtls::message
