// Pre-shared keys (PSKs).
#pragma once

#include <memory>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

// An external PSK (RFC 8446 section 4.2.11, RFC 4279). Immutable, cheap to copy; copies may be used
// by several threads at once. Destroying the last copy wipes the key.
class PreSharedKey {
 public:
  static constexpr std::size_t kMaxIdentity = 65535;  // bytes
  static constexpr std::size_t kMaxKey = 64;          // bytes (RFC 4279 section 5.3)

  // `identity` is sent in plaintext. `key` must have full entropy: an observer of one handshake
  // can test weak keys offline. `hash` (sha256 or sha384) is the hash that DTLS 1.3 uses this
  // key with. Errors: invalid_argument for an empty or too long identity or key, or another
  // hash.
  static Result<PreSharedKey> make(Bytes identity, Bytes key,
                                   HashAlgorithm hash = HashAlgorithm::sha256);

  // Valid as long as any copy lives.
  [[nodiscard]] Bytes identity() const;
  [[nodiscard]] Bytes key() const;
  [[nodiscard]] HashAlgorithm hash() const;

 private:
  struct Parts;
  explicit PreSharedKey(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

}  // namespace sluice::dtls
