#include "crypto/library.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "crypto/failure.h"

namespace sluice::dtls::crypto {
namespace {

constexpr std::array kDigestNames{"SHA1", "SHA256", "SHA384", "SHA512"};
constexpr std::array kCipherNames{"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "AES-128-CCM",
                                  "AES-256-CCM", "AES-128-CCM", "AES-256-CCM"};
// The ciphers for record number encryption with each AEAD (RFC 9147 section 4.2.3).
constexpr std::array kMaskNames{"AES-128-ECB", "AES-256-ECB", "ChaCha20",   "AES-128-ECB",
                                "AES-256-ECB", "AES-128-ECB", "AES-256-ECB"};

Result<MacContextPtr> make_hmac_context(EVP_MAC* hmac, const char* digest, const char* properties) {
  MacContextPtr context(EVP_MAC_CTX_new(hmac));
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(digest), 0),
      OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
  if (properties != nullptr) {
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_PROPERTIES,
                                                 const_cast<char*>(properties), 0);
  }
  if (!context || EVP_MAC_CTX_set_params(context.get(), params) != 1) return failure("HMAC");
  return context;
}

// Makes a key object of a curve, still without a point, and a context that generates keys on the
// curve.
Result<std::pair<KeyPtr, KeyContextPtr>> prepare_curve(OSSL_LIB_CTX* library, const char* name,
                                                       const char* properties) {
  const KeyContextPtr setup(EVP_PKEY_CTX_new_from_name(library, "EC", properties));
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(name), 0),
      OSSL_PARAM_construct_end()};
  EVP_PKEY* parameters = nullptr;
  if (!setup || EVP_PKEY_paramgen_init(setup.get()) != 1 ||
      EVP_PKEY_CTX_set_params(setup.get(), params) != 1 ||
      EVP_PKEY_generate(setup.get(), &parameters) != 1) {
    return failure(name);
  }
  const KeyPtr curve(parameters);
  KeyPtr peer(EVP_PKEY_dup(parameters));
  KeyContextPtr generator(EVP_PKEY_CTX_new_from_pkey(library, curve.get(), properties));
  if (!peer || !generator || EVP_PKEY_keygen_init(generator.get()) != 1) return failure(name);
  return std::pair(std::move(peer), std::move(generator));
}

// A context that generates keys of a group that is an algorithm of its own in libcrypto; null if
// libcrypto does not have it.
KeyContextPtr prepare_named(OSSL_LIB_CTX* library, const char* name, const char* properties) {
  KeyContextPtr generator(EVP_PKEY_CTX_new_from_name(library, name, properties));
  if (generator && EVP_PKEY_keygen_init(generator.get()) != 1) return nullptr;
  return generator;
}

}  // namespace

Result<std::unique_ptr<Library>> Library::make(const Environment::Options& options) {
  if (options.random != nullptr && options.library_context != nullptr) {
    return tl::unexpected(
        Error{Errc::invalid_config, {}, 0, "random: needs a library context of its own"});
  }
  if (options.max_warm_connections == 0) {
    return tl::unexpected(Error{Errc::invalid_config, {}, 0, "max_warm_connections: 1 or more"});
  }
  std::unique_ptr<Library> library(new Library(options.max_warm_connections));
  library->context_ = options.library_context;
  library->properties_ = options.property_query;
  if (options.random != nullptr) {
    auto injected = InjectedRandom::make(*options.random);
    if (!injected) return forward_error(injected);
    library->injected_ = std::move(*injected);
    library->context_ = library->injected_->context();
  }
  if (auto fetched = library->fetch(); !fetched) return forward_error(fetched);
  if (auto prepared = library->prepare_groups(); !prepared) return forward_error(prepared);
  return library;
}

Result<void> Library::fetch() {
  digest_context_.reset(EVP_MD_CTX_new());
  const MacPtr hmac(EVP_MAC_fetch(context_, "HMAC", properties()));
  if (!digest_context_ || !hmac) return failure("HMAC");
  for (std::size_t i = 0; i < digests_.size(); ++i) {
    digests_[i].reset(EVP_MD_fetch(context_, kDigestNames[i], properties()));
    if (!digests_[i]) return failure(kDigestNames[i]);
    auto context = make_hmac_context(hmac.get(), kDigestNames[i], properties());
    if (!context) return forward_error(context);
    hmac_contexts_[i] = std::move(*context);
  }
  for (std::size_t i = 0; i < ciphers_.size(); ++i) {
    // A FIPS provider has no ChaCha20. A missing cipher causes an error only when it is used.
    ciphers_[i].reset(EVP_CIPHER_fetch(context_, kCipherNames[i], properties()));
    has_tls_parameters_[i] =
        ciphers_[i] != nullptr &&
        crypto::has_tls_parameters(ciphers_[i].get(), static_cast<AeadAlgorithm>(i));
    sized_contexts_[i] = crypto::sized_context(ciphers_[i].get(), static_cast<AeadAlgorithm>(i));
    mask_ciphers_[i].reset(EVP_CIPHER_fetch(context_, kMaskNames[i], properties()));
  }
  cbc_cipher_.reset(EVP_CIPHER_fetch(context_, "AES-128-CBC", properties()));
  if (!ciphers_[0]) return failure(kCipherNames[0]);
  drain_error_queue();
  return {};
}

Result<void> Library::prepare_groups() {
  auto p256 = prepare_curve(context_, "P-256", properties());
  if (!p256) return forward_error(p256);
  std::tie(p256_peer_, p256_) = std::move(*p256);
  p256_verifier_.reset(EVP_PKEY_CTX_new_from_pkey(context_, p256_peer_.get(), properties()));
  if (!p256_verifier_) return failure("P-256");
  auto p384 = prepare_curve(context_, "P-384", properties());
  if (!p384) return forward_error(p384);
  std::tie(p384_peer_, p384_) = std::move(*p384);

  x25519_ = prepare_named(context_, "X25519", properties());
  // Any 32 bytes are a public key (RFC 7748 section 5).
  constexpr std::array<unsigned char, 32> kAny{9};
  x25519_peer_.reset(
      EVP_PKEY_new_raw_public_key_ex(context_, "X25519", properties(), kAny.data(), kAny.size()));
  // OpenSSL 3.5 and later have the algorithm. Without it the group is neither offered nor accepted.
  const KemPtr kem(EVP_KEM_fetch(context_, "X25519MLKEM768", properties()));
  if (kem) x25519_mlkem768_ = prepare_named(context_, "X25519MLKEM768", properties());
  drain_error_queue();
  return {};
}

EVP_PKEY_CTX* Library::generator(NamedGroup group) const {
  switch (group) {
    case NamedGroup::secp256r1:
      return p256_.get();
    case NamedGroup::secp384r1:
      return p384_.get();
    case NamedGroup::x25519:
      return x25519_.get();
    case NamedGroup::x25519_mlkem768:
      return x25519_mlkem768_.get();
  }
  return nullptr;
}

EVP_PKEY* Library::peer_key(NamedGroup group) const {
  switch (group) {
    case NamedGroup::secp256r1:
      return p256_peer_.get();
    case NamedGroup::secp384r1:
      return p384_peer_.get();
    case NamedGroup::x25519:
      return x25519_peer_.get();
    case NamedGroup::x25519_mlkem768:
      return nullptr;
  }
  return nullptr;
}

EVP_PKEY_CTX* Library::ecdsa_signer(EVP_PKEY* key) {
  if (ecdsa_signer_ && EVP_PKEY_CTX_get0_pkey(ecdsa_signer_.get()) == key) {
    return ecdsa_signer_.get();
  }
  ecdsa_signer_.reset(EVP_PKEY_CTX_new_from_pkey(context_, key, properties()));
  if (ecdsa_signer_ && EVP_PKEY_sign_init(ecdsa_signer_.get()) != 1) ecdsa_signer_.reset();
  return ecdsa_signer_.get();
}

Result<void> Library::random(MutableBytes out) {
  if (RAND_bytes_ex(context_, octets(out), out.size(), 0) != 1) return failure("RAND_bytes_ex");
  return {};
}

Result<void> Library::public_random(MutableBytes out) {
  // A RandomSource is asked for what is needed and for nothing else.
  if (injected_ || !reserve_.exists() || out.size() > RandomReserve::kSize) return random(out);
  return reserve_.take(out, [this](MutableBytes bytes) { return random(bytes); });
}

}  // namespace sluice::dtls::crypto

namespace sluice::dtls {

Environment::Environment(std::unique_ptr<crypto::Library> library, const Options& options)
    : library_(std::move(library)),
      key_log_(options.key_log),
      packet_observer_(options.packet_observer) {}
Environment::Environment(Environment&&) noexcept = default;
Environment& Environment::operator=(Environment&&) noexcept = default;
Environment::~Environment() = default;

Result<Environment> Environment::make(const Options& options) {
  return crypto::Library::make(options).map([&](std::unique_ptr<crypto::Library> library) {
    return Environment(std::move(library), options);
  });
}

}  // namespace sluice::dtls
