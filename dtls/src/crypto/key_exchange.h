// Key exchange: ephemeral Diffie-Hellman on elliptic curves (RFC 8422, RFC 7748), also combined
// with ML-KEM (FIPS 203, draft-ietf-tls-ecdhe-mlkem).
//
//   initiator                             responder
//   generate(), share()      ----->
//                            <-----       encapsulate(): its share and the secret
//   derive(): the secret
#pragma once

#include <array>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>
#include <sluice/dtls/secret.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

class Library;

// The largest share is an encapsulation key of ML-KEM-768 followed by an X25519 key.
inline constexpr std::size_t kMaxKeyShareSize = 1184 + 32;
// The largest is that of X25519MLKEM768: the concatenated secrets of both.
using SharedSecret = Secret<64>;

// Whether the group uses a key encapsulation mechanism. Its two shares have different forms, so it
// requires DTLS 1.3.
constexpr bool is_kem(NamedGroup group) { return group == NamedGroup::x25519_mlkem768; }

// A public key on the wire, or a ciphertext together with a public key.
class KeyShare {
 public:
  [[nodiscard]] Bytes bytes() const { return {bytes_.data(), size_}; }

 private:
  friend class EphemeralKey;
  std::array<std::byte, kMaxKeyShareSize> bytes_{};
  std::size_t size_ = 0;
};

struct Encapsulated {
  KeyShare share;
  SharedSecret secret;
};

class EphemeralKey {
 public:
  static Result<EphemeralKey> generate(Library& library, NamedGroup group);

  [[nodiscard]] NamedGroup group() const { return group_; }
  [[nodiscard]] Result<KeyShare> share() const;
  // `peer` is the answer to share(). Errors: bad_key_share with illegal_parameter for an invalid
  // share (wrong size or form, a point that is not on the curve, an all-zero secret).
  [[nodiscard]] Result<SharedSecret> derive(Library& library, Bytes peer) const;

  // Answers the share `peer` with a key that is used once only. Errors: as for derive(), also for
  // an invalid encapsulation key.
  static Result<Encapsulated> encapsulate(Library& library, NamedGroup group, Bytes peer);

 private:
  EphemeralKey(NamedGroup group, KeyPtr key) : group_(group), key_(std::move(key)) {}
  static Result<Encapsulated> encapsulate_kem(Library& library, NamedGroup group, Bytes peer);

  NamedGroup group_;
  KeyPtr key_;
};

// The peer's public key in a group without key encapsulation. The Library owns the key and reuses
// it, because libcrypto makes a new key more slowly than it changes the point of an existing one.
// The key is valid until the next call for the same group. Null, with libcrypto's error queue
// emptied, if `share` is invalid. Key exchange and certificates use the same key.
EVP_PKEY* peer_public_key(Library& library, NamedGroup group, Bytes share);

}  // namespace sluice::dtls::crypto
