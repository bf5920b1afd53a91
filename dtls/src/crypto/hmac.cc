#include "crypto/hmac.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <sluice/dtls/secret.h>

#include "crypto/constant_time.h"
#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {
namespace {

// Larger than any label of a key schedule with its context.
constexpr std::size_t kShortMessage = 192;

void wipe_key(EVP_MAC_CTX* context) {
  static constexpr std::array<unsigned char, kMaxHashSize> kNoKey{};
  EVP_MAC_init(context, kNoKey.data(), kNoKey.size(), nullptr);
}

constexpr std::array kHashes{HashAlgorithm::sha1, HashAlgorithm::sha256, HashAlgorithm::sha384,
                             HashAlgorithm::sha512};
constexpr unsigned bit_of(HashAlgorithm hash) { return 1U << static_cast<unsigned>(hash); }

// Now, or with the outermost DeferredWipe.
void wipe_soon(Library& library, HashAlgorithm hash) {
  HmacKeys& keys = library.hmac_keys();
  if (keys.deferred_wipes == 0) {
    wipe_key(library.hmac_context(hash));
  } else {
    keys.left |= bit_of(hash);
  }
}

bool is_left(const HmacKeys& keys, HashAlgorithm hash) {
  return !keys.repeated.empty() && keys.repeated_hash == hash;
}

bool update(EVP_MAC_CTX* context, Bytes part) {
  return EVP_MAC_update(context, octets(part), part.size()) == 1;
}

// The overhead of one libcrypto call is larger than the cost of hashing a few bytes, so a short
// message is copied together first.
bool update(EVP_MAC_CTX* context, std::initializer_list<Bytes> parts) {
  std::size_t size = 0;
  for (const Bytes part : parts) size += part.size();
  if (parts.size() == 1 || size > kShortMessage) {
    return std::ranges::all_of(parts, [&](Bytes part) { return update(context, part); });
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
  std::array<std::byte, kShortMessage> message;
  std::byte* end = message.data();
  for (const Bytes part : parts) {
    if (!part.empty()) std::memcpy(end, part.data(), part.size());
    end += part.size();
  }
  const MutableBytes whole(message.data(), end);
  const bool done = update(context, Bytes(whole));
  cleanse(whole);
  return done;
}

}  // namespace

Result<Hmac> Hmac::with_key(Library& library, HashAlgorithm hash, Bytes key) {
  HmacKeys& keys = library.hmac_keys();
  if (is_left(keys, hash)) {
    keys.repeated.clear();  // this key replaces it in its context
  } else {
    forget_repeated_key(library);
  }
  // EVP_MAC_init takes a null key as "keep the previous key", not as the empty key.
  static constexpr unsigned char kEmpty = 0;
  const unsigned char* const bytes = key.empty() ? &kEmpty : octets(key);
  if (EVP_MAC_init(library.hmac_context(hash), bytes, key.size(), nullptr) != 1) {
    return failure("EVP_MAC_init");
  }
  keys.left &= ~bit_of(hash);
  return Hmac(library, hash, true);
}

Result<Hmac> Hmac::with_repeated_key(Library& library, HashAlgorithm hash, Bytes key) {
  HmacKeys& keys = library.hmac_keys();
  if (is_left(keys, hash) && equal(std::as_const(keys.repeated).bytes(), key)) {
    return Hmac(library, hash, false);
  }
  auto hmac = with_key(library, hash, key);
  if (hmac && key.size() <= keys.repeated.capacity()) {
    keys.repeated = Secret<kMaxRepeatedKey>(key);
    keys.repeated_hash = hash;
  }
  return hmac;
}

Hmac::~Hmac() {
  if (library_ != nullptr && !is_left(library_->hmac_keys(), hash_)) wipe_soon(*library_, hash_);
}

void forget_repeated_key(Library& library) {
  HmacKeys& keys = library.hmac_keys();
  if (keys.repeated.empty()) return;
  wipe_soon(library, keys.repeated_hash);
  keys.repeated.clear();
}

bool Hmac::begin() {
  // Without a key, EVP_MAC_init starts a new MAC with the present key.
  return std::exchange(is_begun_, false) ||
         EVP_MAC_init(library_->hmac_context(hash_), nullptr, 0, nullptr) == 1;
}

Result<void> Hmac::finish(bool done, MutableBytes out) {
  std::size_t size = 0;
  done = done && EVP_MAC_final(library_->hmac_context(hash_), octets(out), &size, out.size()) == 1;
  return done ? Result<void>() : failure("HMAC");
}

Result<Digest> Hmac::compute(std::initializer_list<Bytes> parts) {
  const bool done = begin() && update(library_->hmac_context(hash_), parts);
  Digest value(hash_);
  if (auto finished = finish(done, value.bytes()); !finished) return forward_error(finished);
  return value;
}

Result<void> Hmac::compute(Bytes message, MutableBytes out) {
  return finish(begin() && update(library_->hmac_context(hash_), message), out);
}

DeferredWipe::DeferredWipe(Library& library) : library_(library) {
  ++library_.hmac_keys().deferred_wipes;
}

DeferredWipe::~DeferredWipe() {
  HmacKeys& keys = library_.hmac_keys();
  if (--keys.deferred_wipes > 0) return;
  const unsigned left = std::exchange(keys.left, 0U);
  if (left == 0) return;
  for (const HashAlgorithm hash : kHashes) {
    if ((left & bit_of(hash)) != 0) wipe_key(library_.hmac_context(hash));
  }
}

}  // namespace sluice::dtls::crypto
