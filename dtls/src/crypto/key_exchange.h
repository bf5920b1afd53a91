// Key exchange: ephemeral Diffie-Hellman on elliptic curves (RFC 8422, RFC 7748), and together with
// ML-KEM (FIPS 203, draft-ietf-tls-ecdhe-mlkem).
//
//   who speaks first                      who answers
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

// The largest is an encapsulation key of ML-KEM-768 with an X25519 key behind it.
inline constexpr std::size_t kMaxKeyShareSize = 1184 + 32;
// X25519MLKEM768's: the secrets of both.
using SharedSecret = Secret<64>;

// Whether it has a key encapsulation: its two shares differ in kind, so that it needs DTLS 1.3.
constexpr bool is_kem(NamedGroup group) { return group == NamedGroup::x25519_mlkem768; }

// A public key, or a ciphertext beside one, as it goes over the wire.
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
  // `peer` is the answer to share(). Errors: bad_key_share with illegal_parameter when it is not a
  // valid one of the group (wrong size or form, a point off the curve, an all-zero secret).
  [[nodiscard]] Result<SharedSecret> derive(Library& library, Bytes peer) const;

  // The answer to the share `peer`, with a key that nobody needs afterwards. Errors: as derive(),
  // for an encapsulation key too.
  static Result<Encapsulated> encapsulate(Library& library, NamedGroup group, Bytes peer);

 private:
  EphemeralKey(NamedGroup group, KeyPtr key) : group_(group), key_(std::move(key)) {}
  static Result<Encapsulated> encapsulate_kem(Library& library, NamedGroup group, Bytes peer);

  NamedGroup group_;
  KeyPtr key_;
};

// A peer's public key of a group that has no key encapsulation, until the next of the group is
// asked for: libcrypto takes longer to make a key than the Library to give its own another point.
// Null, with libcrypto's queue drained, when the share is none. Shared with certificates.
EVP_PKEY* peer_public_key(Library& library, NamedGroup group, Bytes share);

}  // namespace sluice::dtls::crypto
