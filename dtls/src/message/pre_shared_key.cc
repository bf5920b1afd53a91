#include "message/pre_shared_key.h"

namespace sluice::dtls::message {
namespace {

using wire::ExtensionType;

// A binder is an HMAC (RFC 8446 section 4.2.11).
constexpr std::size_t kMinBinder = 32;

}  // namespace

std::optional<OfferedPsks> OfferedPsks::decode(Bytes data) {
  wire::Reader reader(data);
  wire::Reader identities(reader.vector16());
  const std::size_t binders_size = reader.rest().size();
  wire::Reader binders(reader.vector16());
  if (!reader.complete() || !identities.more()) return std::nullopt;
  OfferedPsks offered;
  offered.binders_size = binders_size;
  while (identities.more()) {
    const Bytes identity = identities.vector16();
    const std::uint32_t age = identities.u32();
    const Bytes binder = binders.vector8();
    if (identity.empty() || binder.size() < kMinBinder) return std::nullopt;
    if (offered.identities.size() < kMaxIdentities) {
      offered.identities.push_back({identity, age});
      offered.binders.push_back(binder);
    }
  }
  if (!identities.complete() || !binders.complete()) return std::nullopt;
  return offered;
}

std::size_t binders_size(std::span<const std::size_t> hash_sizes) {
  std::size_t size = 2;
  for (const std::size_t hash_size : hash_sizes) size += 1 + hash_size;
  return size;
}

void put_offered_psks(wire::Writer& out, std::span<const PskIdentity> identities,
                      std::span<const std::size_t> hash_sizes) {
  if (identities.empty() || identities.size() > OfferedPsks::kMaxIdentities ||
      identities.size() != hash_sizes.size()) {
    return out.fail();
  }
  put_extension(out, ExtensionType::pre_shared_key, [&](wire::Writer& data) {
    {
      const auto list = data.vector16();
      for (const auto& [identity, age] : identities) {
        {
          const auto vector = data.vector16({.min = 1});
          data.bytes(identity);
        }
        data.u32(age);
      }
    }
    const auto list = data.vector16();
    for (const std::size_t hash_size : hash_sizes) {
      const auto vector = data.vector8({.min = kMinBinder});
      data.bytes(Buffer(hash_size));
    }
  });
}

std::optional<std::uint16_t> decode_selected_identity(Bytes data) {
  wire::Reader reader(data);
  const std::uint16_t selected = reader.u16();
  return reader.complete() ? std::optional(selected) : std::nullopt;
}

void put_selected_identity(wire::Writer& out, std::uint16_t selected) {
  put_extension(out, ExtensionType::pre_shared_key,
                [&](wire::Writer& data) { data.u16(selected); });
}

std::optional<Bytes> decode_psk_key_exchange_modes(Bytes data) {
  wire::Reader reader(data);
  const Bytes modes = reader.vector8();
  return reader.complete() && !modes.empty() ? std::optional(modes) : std::nullopt;
}

void put_psk_key_exchange_modes(wire::Writer& out, std::span<const PskKeyExchangeMode> modes) {
  put_extension(out, ExtensionType::psk_key_exchange_modes, [&](wire::Writer& data) {
    const auto list = data.vector8({.min = 1});
    for (const PskKeyExchangeMode mode : modes) data.code(mode);
  });
}

}  // namespace sluice::dtls::message
