#include "crypto/keyed_hash.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/failure.h"
#include "crypto/hash.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {
namespace {

constexpr std::size_t kSize = sizeof(std::uint64_t);

MacContextPtr make_siphash(const Library& library) {
  const MacPtr mac(EVP_MAC_fetch(library.context(), "SIPHASH", library.properties()));
  MacContextPtr context(mac ? EVP_MAC_CTX_new(mac.get()) : nullptr);
  std::size_t size = kSize;
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                               OSSL_PARAM_construct_end()};
  if (context && EVP_MAC_CTX_set_params(context.get(), params) != 1) context.reset();
  return context;
}

}  // namespace

Result<KeyedHash> KeyedHash::make(Library& library) {
  Key key(Key::capacity());
  if (auto random = library.random(key.bytes()); !random) return forward_error(random);
  MacContextPtr context = make_siphash(library);
  drain_error_queue();
  // A separate context: the Library's context serves one user at a time.
  if (!context) context.reset(EVP_MAC_CTX_dup(library.hmac_context(HashAlgorithm::sha256)));
  if (!context) return failure("keyed hash");
  return KeyedHash(std::move(context), std::move(key));
}

std::uint64_t KeyedHash::operator()(Bytes value) const {
  std::array<unsigned char, kMaxHashSize> mac{};
  std::size_t size = 0;
  const Bytes key = key_.bytes();
  if (EVP_MAC_init(context_.get(), octets(key), key.size(), nullptr) != 1 ||
      EVP_MAC_update(context_.get(), octets(value), value.size()) != 1 ||
      EVP_MAC_final(context_.get(), mac.data(), &size, mac.size()) != 1) {
    drain_error_queue();
    return 0;
  }
  std::uint64_t hash = 0;
  std::memcpy(&hash, mac.data(), kSize);
  return hash;
}

}  // namespace sluice::dtls::crypto
