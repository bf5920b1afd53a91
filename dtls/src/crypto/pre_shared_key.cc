#include <sluice/dtls/pre_shared_key.h>

#include <sluice/dtls/secret.h>

namespace sluice::dtls {

struct PreSharedKey::Parts {
  Buffer identity;
  Secret<kMaxKey> key;
  HashAlgorithm hash;
};

Result<PreSharedKey> PreSharedKey::make(Bytes identity, Bytes key, HashAlgorithm hash) {
  const auto invalid = [](std::string_view what) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, what});
  };
  if (identity.empty() || identity.size() > kMaxIdentity) return invalid("identity");
  if (key.empty() || key.size() > kMaxKey) return invalid("key");
  if (hash != HashAlgorithm::sha256 && hash != HashAlgorithm::sha384) return invalid("hash");
  return PreSharedKey(std::make_shared<const Parts>(
      Parts{Buffer(identity.begin(), identity.end()), Secret<kMaxKey>(key), hash}));
}

Bytes PreSharedKey::identity() const { return parts_->identity; }
Bytes PreSharedKey::key() const { return parts_->key.bytes(); }
HashAlgorithm PreSharedKey::hash() const { return parts_->hash; }

}  // namespace sluice::dtls
