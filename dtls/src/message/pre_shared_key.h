// The pre_shared_key and psk_key_exchange_modes extensions (RFC 8446 sections 4.2.9 and 4.2.11).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <sluice/dtls/protocol.h>

#include "message/extension_block.h"

namespace sluice::dtls::message {

struct PskIdentity {
  Bytes identity;
  std::uint32_t obfuscated_ticket_age = 0;
};

// A client's offer, with as many binders as identities. The members are views of the message.
struct OfferedPsks {
  // Identities beyond this number are ignored; no client offers so many.
  static constexpr std::size_t kMaxIdentities = 8;

  std::vector<PskIdentity> identities;
  std::vector<Bytes> binders;
  std::size_t binders_size = 0;  // of the list and its length, which binders do not cover

  // Empty when malformed.
  static std::optional<OfferedPsks> decode(Bytes data);
};

// The bytes of a list of binders for hashes of these sizes, including its length.
std::size_t binders_size(std::span<const std::size_t> hash_sizes);

// Writes the extension with 1 to kMaxIdentities identities and as many binders, of these sizes and
// all zero. The caller computes the binders
// later, because they depend on all bytes before them.
void put_offered_psks(wire::Writer& out, std::span<const PskIdentity> identities,
                      std::span<const std::size_t> hash_sizes);

// The index of the identity that a ServerHello chose, from 0; empty when malformed.
std::optional<std::uint16_t> decode_selected_identity(Bytes data);
void put_selected_identity(wire::Writer& out, std::uint16_t selected);

// A view of the list, unknown modes included; empty when malformed.
std::optional<Bytes> decode_psk_key_exchange_modes(Bytes data);
void put_psk_key_exchange_modes(wire::Writer& out, std::span<const PskKeyExchangeMode> modes);

}  // namespace sluice::dtls::message
