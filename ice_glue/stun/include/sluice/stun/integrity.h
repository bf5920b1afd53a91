// MESSAGE-INTEGRITY (RFC 8489 section 14.5): keys, and whether a message is authentic.
#pragma once

#include <string_view>
#include <utility>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/environment.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/secret.h>
#include <sluice/stun/message.h>

namespace sluice::stun {

// The key of one credential. Moving leaves the source without a key; the destructor wipes it. Any
// thread may use it while none moves it.
class IntegrityKey {
 public:
  // Short-term credentials (RFC 8489 section 9.1.1): the key is the password, which ICE takes from
  // a=ice-pwd (ASCII, 22 to 256 characters, RFC 8839 section 5.4). Of any size but 0. A password
  // with other characters must have passed OpaqueString (RFC 8265) before.
  // Errors: invalid_argument if it is empty; libcrypto_failure.
  static dtls::Result<IntegrityKey> make(dtls::Environment& environment, std::string_view password);

  // For verify_integrity() and Writer.
  [[nodiscard]] dtls::Bytes bytes() const { return key_.bytes(); }

 private:
  // HMAC hashes a key that exceeds SHA-1's block (RFC 2104 section 2): the hash is an equal key.
  static constexpr std::size_t kBlockSize = 64;
  using Key = dtls::Secret<kBlockSize>;

  explicit IntegrityKey(Key key) : key_(std::move(key)) {}

  Key key_;
};

// Whether the message has a MESSAGE-INTEGRITY that is right for this key. Compares in constant
// time. False also if libcrypto fails. `message` must come from decode().
// Allocates nothing of its own; libcrypto's HMAC allocates and frees contexts for each MAC.
//
// The last key that was used remains in the Environment, so that a response costs no second setting
// of the key, until another is used, or forget_integrity_key() is called, or the Environment ends.
bool verify_integrity(const Message& message, dtls::Environment& environment,
                      const IntegrityKey& key);

// Wipes the key that verify_integrity() or Writer::finish() has left in the Environment. Call it
// where a session ends, whose key it may be.
void forget_integrity_key(dtls::Environment& environment);

}  // namespace sluice::stun
