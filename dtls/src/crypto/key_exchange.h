// Ephemeral Diffie-Hellman on elliptic curves (RFC 8422, RFC 7748).
#pragma once

#include <array>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>
#include <sluice/dtls/secret.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

class Library;

// The largest is P-384's: 0x04 and two coordinates of 48 bytes.
inline constexpr std::size_t kMaxKeyShareSize = 97;
using SharedSecret = Secret<48>;

// A public key as it goes over the wire.
class KeyShare {
 public:
  [[nodiscard]] Bytes bytes() const { return {bytes_.data(), size_}; }

 private:
  friend class EphemeralKey;
  std::array<std::byte, kMaxKeyShareSize> bytes_{};
  std::size_t size_ = 0;
};

class EphemeralKey {
 public:
  static Result<EphemeralKey> generate(Library& library, NamedGroup group);

  [[nodiscard]] NamedGroup group() const { return group_; }
  [[nodiscard]] Result<KeyShare> share() const;
  // Errors: bad_key_share with illegal_parameter when `peer` is not a valid share of the group
  // (wrong size or form, a point off the curve, an all-zero secret).
  [[nodiscard]] Result<SharedSecret> derive(Library& library, Bytes peer) const;

 private:
  EphemeralKey(NamedGroup group, KeyPtr key) : group_(group), key_(std::move(key)) {}

  NamedGroup group_;
  KeyPtr key_;
};

// A public key on a curve from its uncompressed point; empty, with libcrypto's queue drained, when
// it is none. Shared with certificates.
KeyPtr public_key_from_point(Library& library, NamedGroup group, Bytes point);

}  // namespace sluice::dtls::crypto
