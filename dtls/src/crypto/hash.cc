#include "crypto/hash.h"

#include <algorithm>
#include <cstring>

#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {
namespace {

// The digests of the empty message (FIPS 180-4).
constexpr std::array<unsigned char, 20> kSha1OfNothing{0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b,
                                                       0x0d, 0x32, 0x55, 0xbf, 0xef, 0x95, 0x60,
                                                       0x18, 0x90, 0xaf, 0xd8, 0x07, 0x09};
constexpr std::array<unsigned char, 32> kSha256OfNothing{
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
constexpr std::array<unsigned char, 48> kSha384OfNothing{
    0x38, 0xb0, 0x60, 0xa7, 0x51, 0xac, 0x96, 0x38, 0x4c, 0xd9, 0x32, 0x7e, 0xb1, 0xb1, 0xe3, 0x6a,
    0x21, 0xfd, 0xb7, 0x11, 0x14, 0xbe, 0x07, 0x43, 0x4c, 0x0c, 0xc7, 0xbf, 0x63, 0xf6, 0xe1, 0xda,
    0x27, 0x4e, 0xde, 0xbf, 0xe7, 0x6f, 0x65, 0xfb, 0xd5, 0x1a, 0xd2, 0xf1, 0x48, 0x98, 0xb9, 0x5b};
constexpr std::array<unsigned char, 64> kSha512OfNothing{
    0xcf, 0x83, 0xe1, 0x35, 0x7e, 0xef, 0xb8, 0xbd, 0xf1, 0x54, 0x28, 0x50, 0xd6, 0x6d, 0x80, 0x07,
    0xd6, 0x20, 0xe4, 0x05, 0x0b, 0x57, 0x15, 0xdc, 0x83, 0xf4, 0xa9, 0x21, 0xd3, 0x6c, 0xe9, 0xce,
    0x47, 0xd0, 0xd1, 0x3c, 0x5d, 0x85, 0xf2, 0xb0, 0xff, 0x83, 0x18, 0xd2, 0x87, 0x7e, 0xec, 0x2f,
    0x63, 0xb9, 0x31, 0xbd, 0x47, 0x41, 0x7a, 0x81, 0xa5, 0x38, 0x32, 0x7a, 0xf9, 0x27, 0xda, 0x3e};

}  // namespace

Result<Sha256> RepeatedHash::of_next(Library& library) {
  const bool is_same = value_ && next_.size() == text_.size() &&
                       std::memcmp(next_.data(), text_.data(), text_.size()) == 0;
  if (is_same) return *value_;
  value_.reset();
  const auto computed = digest(library, HashAlgorithm::sha256, next_);
  if (!computed) return forward_error(computed);
  std::swap(text_, next_);
  std::ranges::copy(computed->bytes(), value_.emplace().begin());
  return *value_;
}

Result<Digest> digest(Library& library, HashAlgorithm hash, Bytes data) {
  return digest_of_parts(library, hash, std::span(&data, 1));
}

Bytes digest_of_nothing(HashAlgorithm hash) {
  switch (hash) {
    case HashAlgorithm::sha1:
      return std::as_bytes(std::span(kSha1OfNothing));
    case HashAlgorithm::sha256:
      return std::as_bytes(std::span(kSha256OfNothing));
    case HashAlgorithm::sha384:
      return std::as_bytes(std::span(kSha384OfNothing));
    case HashAlgorithm::sha512:
      return std::as_bytes(std::span(kSha512OfNothing));
  }
  return {};
}

Result<Digest> digest_of_parts(Library& library, HashAlgorithm hash, std::span<const Bytes> parts) {
  Digest value(hash);
  EVP_MD_CTX* context = library.digest_context();
  bool done = EVP_DigestInit_ex2(context, library.digest(hash), nullptr) == 1;
  for (const Bytes part : parts) {
    done = done && EVP_DigestUpdate(context, part.data(), part.size()) == 1;
  }
  if (!done || EVP_DigestFinal_ex(context, octets(value.bytes()), nullptr) != 1) {
    return failure("digest");
  }
  return value;
}

Result<RunningHash> RunningHash::start(Library& library, HashAlgorithm hash) {
  DigestContextPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex2(context.get(), library.digest(hash), nullptr) != 1) {
    return failure("EVP_DigestInit_ex2");
  }
  return RunningHash(hash, std::move(context));
}

Result<void> RunningHash::update(Bytes data) {
  if (EVP_DigestUpdate(context_.get(), data.data(), data.size()) != 1)
    return failure("EVP_DigestUpdate");
  return {};
}

Result<RunningHash> RunningHash::clone() const {
  DigestContextPtr context(EVP_MD_CTX_new());
  if (!context || EVP_MD_CTX_copy_ex(context.get(), context_.get()) != 1) {
    return failure("EVP_MD_CTX_copy_ex");
  }
  return RunningHash(hash_, std::move(context));
}

Result<Digest> RunningHash::value(Library& library) const {
  Digest value(hash_);
  EVP_MD_CTX* copy = library.digest_context();
  if (EVP_MD_CTX_copy_ex(copy, context_.get()) != 1 ||
      EVP_DigestFinal_ex(copy, octets(value.bytes()), nullptr) != 1) {
    return failure("EVP_DigestFinal_ex");
  }
  return value;
}

}  // namespace sluice::dtls::crypto
