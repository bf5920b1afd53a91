// Public keys of certificates; signatures and their verification.
#pragma once

#include <array>
#include <cstdint>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

class Library;

enum class KeyType : std::uint8_t { ecdsa_p256, ecdsa_p384, ed25519, rsa };

// Whether a key of this type can sign with this scheme in DTLS 1.2, where an ECDSA scheme
// determines the hash but not the curve (RFC 8422 section 5.1.1).
bool can_sign12(SignatureScheme scheme, KeyType type);

// The same for TLS 1.3, where an ECDSA scheme also determines the curve, and RSA keys sign with PSS
// only (RFC 8446 section 4.2.3).
bool can_sign13(SignatureScheme scheme, KeyType type);

// The type of the key. Errors: unsupported_certificate for other types and for RSA keys of less
// than 2048 bits.
Result<KeyType> key_type(const EVP_PKEY* key);

// Uncompressed (RFC 8422 section 5.4).
inline constexpr std::size_t kP256PointSize = 65;

class PublicKey {
 public:
  PublicKey(KeyType type, KeyPtr key) : type_(type), key_(std::move(key)) {}
  // `p256_point` is a point that peer_public_key() has accepted.
  explicit PublicKey(Bytes p256_point);

  [[nodiscard]] KeyType type() const { return type_; }
  // Errors: bad_signature with decrypt_error.
  [[nodiscard]] Result<void> verify(Library& library, SignatureScheme scheme, Bytes data,
                                    Bytes signature) const;

 private:
  KeyType type_;
  KeyPtr key_;  // null: the key is p256_point_
  std::array<std::byte, kP256PointSize> p256_point_{};
};

// Signs with the parameters of `scheme`, which must be usable with the key.
Result<Buffer> sign(Library& library, EVP_PKEY* key, SignatureScheme scheme, Bytes data);

}  // namespace sluice::dtls::crypto
