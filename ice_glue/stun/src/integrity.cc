#include <sluice/stun/integrity.h>

#include "crypto/constant_time.h"
#include "crypto/hash.h"
#include "crypto/hmac.h"
#include "message_mac.h"

namespace sluice::stun {

dtls::Result<IntegrityKey> IntegrityKey::make(dtls::Environment& environment,
                                              std::string_view password) {
  const dtls::Bytes bytes = std::as_bytes(std::span(password));
  // Anyone could authenticate with an empty password.
  if (bytes.empty()) {
    return tl::unexpected(
        dtls::Error{dtls::Errc::invalid_argument, {}, 0, "the password is empty"});
  }
  if (bytes.size() <= kBlockSize) return IntegrityKey(Key(bytes));
  auto hash = dtls::crypto::digest(environment.library(), dtls::HashAlgorithm::sha1, bytes);
  if (!hash) return dtls::forward_error(hash);
  IntegrityKey key{Key(std::as_const(*hash).bytes())};
  dtls::cleanse(hash->bytes());
  return key;
}

bool verify_integrity(const Message& message, dtls::Environment& environment,
                      const IntegrityKey& key) {
  if (!message.integrity_at) return false;
  const auto mac =
      message_mac(environment, key.bytes(), message.bytes.first(*message.integrity_at));
  if (!mac) return false;
  const dtls::Bytes received = message.bytes.subspan(*message.integrity_at + kAttributeHeaderSize,
                                                     kIntegritySize - kAttributeHeaderSize);
  return dtls::crypto::equal(mac->bytes(), received);
}

void forget_integrity_key(dtls::Environment& environment) {
  dtls::crypto::forget_repeated_key(environment.library());
}

}  // namespace sluice::stun
