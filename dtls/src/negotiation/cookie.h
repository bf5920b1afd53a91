// Stateless cookies: the server verifies them without keeping anything per client (RFC 6347
// section 4.2.1, RFC 9147 section 5.1).
#pragma once

#include <optional>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/protocol.h>
#include <sluice/dtls/secret.h>

#include "crypto/hash.h"
#include "wire/writer.h"

namespace sluice::dtls::handshake {

// The client and the hello for which a cookie is valid.
struct CookieBinding {
  ProtocolVersion version;
  Bytes address;   // the peer's, at most 255 bytes
  Bytes repeated;  // the digest of what the second hello must repeat
};

// A cookie has three parts: one byte that names the secret's generation, content that the client
// can read but not change, and a MAC over both and the binding. The secret changes once per
// lifetime. The one before it is still accepted, so a cookie is valid for one to two lifetimes.
class CookieJar {
 public:
  // 128 bits cannot be guessed within a cookie's lifetime. A longer tag would make the reply to a
  // small hello larger.
  static constexpr std::size_t kTagSize = 16;
  static constexpr std::size_t kOverhead = 1 + kTagSize;

  static Result<CookieJar> make(crypto::Library& library, Duration lifetime);

  // Changes the secrets if the lifetime is over.
  Result<void> advance(crypto::Library& library, Instant now);

  // Writes a cookie with `content`. Errors: invalid_argument when content or address exceed 255
  // bytes.
  Result<void> put(crypto::Library& library, wire::Writer& out, Bytes content,
                   const CookieBinding& binding) const;
  // The content of a cookie, in place and not verified yet; empty when the cookie is too short.
  // Trust it only if open() returns it.
  static std::optional<Bytes> claimed_content(Bytes cookie);
  // The content of a valid cookie, in place; empty for any other.
  [[nodiscard]] Result<std::optional<Bytes>> open(crypto::Library& library, Bytes cookie,
                                                  const CookieBinding& binding) const;

 private:
  using Key = Secret<32>;

  explicit CookieJar(Duration lifetime) : lifetime_(lifetime) {}
  static Result<void> renew(crypto::Library& library, Key& key);
  static Result<crypto::Digest> mac(crypto::Library& library, const Key& key, std::byte generation,
                                    Bytes content, const CookieBinding& binding);
  // Null when the key of this generation is gone.
  [[nodiscard]] const Key* key_of(std::byte generation) const;

  Duration lifetime_;
  std::optional<Instant> start_;  // of generation 0; set by the first input
  std::uint64_t generation_ = 0;
  Key current_{32};
  Key previous_{32};
};

}  // namespace sluice::dtls::handshake
