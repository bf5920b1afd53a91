// Cookies that a server gives out and knows again without keeping anything for who has them (RFC
// 6347 section 4.2.1, RFC 9147 section 5.1).
#pragma once

#include <optional>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/protocol.h>
#include <sluice/dtls/secret.h>

#include "crypto/hash.h"
#include "wire/writer.h"

namespace sluice::dtls::handshake {

// What a cookie holds for: it is good for nobody else and for no other hello.
struct CookieBinding {
  ProtocolVersion version;
  Bytes address;   // the peer's, at most 255 bytes
  Bytes repeated;  // the digest of what the second hello must repeat
};

// A cookie is one byte that tells the secret, a content that its holder may read but not change,
// and a MAC over these and the binding. The secret changes with time; the one before holds as well,
// so that a cookie is good for one lifetime at least and two at most.
class CookieJar {
 public:
  // 128 bits: nobody guesses that within a cookie's life, and the answer to a small hello must be
  // small.
  static constexpr std::size_t kTagSize = 16;
  static constexpr std::size_t kOverhead = 1 + kTagSize;

  static Result<CookieJar> make(crypto::Library& library, Duration lifetime);

  // Changes the secrets when it is time.
  Result<void> advance(crypto::Library& library, Instant now);

  // Writes a cookie with `content`, at most 255 bytes.
  Result<void> put(crypto::Library& library, wire::Writer& out, Bytes content,
                   const CookieBinding& binding) const;
  // What a cookie claims to hold, in place; empty when it is too short to hold anything. To be
  // trusted only when open() gives it.
  static std::optional<Bytes> claimed_content(Bytes cookie);
  // The content of a cookie of ours, in place; empty for any other.
  [[nodiscard]] Result<std::optional<Bytes>> open(crypto::Library& library, Bytes cookie,
                                                  const CookieBinding& binding) const;

 private:
  using Key = Secret<32>;

  explicit CookieJar(Duration lifetime) : lifetime_(lifetime) {}
  static Result<void> renew(crypto::Library& library, Key& key);
  static Result<crypto::Digest> mac(crypto::Library& library, const Key& key, std::byte generation,
                                    Bytes content, const CookieBinding& binding);
  // Null when no key of this generation is left.
  [[nodiscard]] const Key* key_of(std::byte generation) const;

  Duration lifetime_;
  std::optional<Instant> start_;  // of generation 0: the first input
  std::uint64_t generation_ = 0;
  Key current_{32};
  Key previous_{32};
};

}  // namespace sluice::dtls::handshake
