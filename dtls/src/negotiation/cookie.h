// Stateless cookies: the server verifies them without keeping anything per client (RFC 6347
// section 4.2.1, RFC 9147 section 5.1).
#pragma once

#include <cstdint>
#include <optional>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/listener.h>
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

struct OpenedCookie {
  CookieNumber number;
  Bytes content;  // in place
};

// A cookie has four parts: one byte that names the secret's generation, the cookie's number in four
// bytes, content that the client can read but not change, and a MAC over these and the binding. The
// secret changes once per lifetime. The one before it is still accepted, so a cookie is valid for
// one to two lifetimes. All follow from one master secret, so that jars which share it change their
// secrets together.
//
// Numbers are the milliseconds since the first input plus a random offset. So they do not tell how
// many cookies others get, unless there are more than 1000 in a second.
class CookieJar {
 public:
  // 128 bits cannot be guessed within a cookie's lifetime. A longer tag would make the reply to a
  // small hello larger.
  static constexpr std::size_t kTagSize = 16;
  static constexpr std::size_t kNumberSize = sizeof(CookieNumber);
  static constexpr std::size_t kOverhead = 1 + kNumberSize + kTagSize;

  static Result<CookieJar> make(crypto::Library& library, Duration lifetime);

  // Makes another jar take the cookies of this one, and the other way round. Both must have the
  // same lifetime. Errors: libcrypto_failure.
  Result<SecretBytes> export_secret(crypto::Library& library, Instant now);
  // Errors: decode_error, also for another lifetime; libcrypto_failure. The jar stays as it is.
  Result<void> import_secret(crypto::Library& library, Bytes secret, Instant now);

  // Sets the time, and changes the secrets if the lifetime is over.
  Result<void> advance(crypto::Library& library, Instant now);

  // Writes a cookie with `content`. Errors: invalid_argument when content or address exceed 255
  // bytes.
  Result<void> put(crypto::Library& library, wire::Writer& out, Bytes content,
                   const CookieBinding& binding);
  // The content of a cookie, in place and not verified yet; empty when the cookie is too short.
  // Trust it only if open() returns it.
  static std::optional<Bytes> claimed_content(Bytes cookie);
  // Whether open() computes a MAC for the cookie, valid or not.
  [[nodiscard]] bool needs_mac(Bytes cookie) const;
  // Empty when the cookie is not valid.
  [[nodiscard]] Result<std::optional<OpenedCookie>> open(crypto::Library& library, Bytes cookie,
                                                         const CookieBinding& binding) const;

 private:
  using Key = Secret<32>;

  explicit CookieJar(Duration lifetime) : lifetime_(lifetime) {}
  // The secret of a generation.
  Result<Key> derive(crypto::Library& library, std::uint64_t generation) const;
  Result<void> derive_keys(crypto::Library& library);
  // `marks`: generation and number.
  static Result<crypto::Digest> mac(crypto::Library& library, const Key& key, Bytes marks,
                                    Bytes content, const CookieBinding& binding);
  // Null when the key of this generation is gone.
  [[nodiscard]] const Key* key_of(std::byte generation) const;

  Duration lifetime_;
  std::optional<Instant> start_;  // of generation 0; set by the first input
  std::uint64_t generation_ = 0;
  std::uint64_t milliseconds_ = 0;  // since start_
  std::uint64_t last_number_ = 0;
  std::uint32_t offset_ = 0;
  Key master_{32};
  Key current_{32};
  Key previous_{32};
};

}  // namespace sluice::dtls::handshake
