#include "crypto/hash.h"

#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {

Result<Digest> digest(Library& library, HashAlgorithm hash, Bytes data) {
  return digest_of_parts(library, hash, std::span(&data, 1));
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
