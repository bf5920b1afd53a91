#include "crypto/credentials.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "crypto/certificate.h"
#include "crypto/certificate_key.h"
#include "crypto/failure.h"
#include "crypto/key_exchange.h"
#include "crypto/library.h"

namespace sluice::dtls {
namespace crypto {
namespace {

constexpr long kDay = 24 * 60 * 60;
constexpr long kValidDays = 30;

tl::unexpected<Error> invalid(std::string_view detail) {
  return failure(Errc::invalid_certificate, {}, detail);
}

BioPtr memory_bio(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Makes a certificate of version 3 with a random serial number of 8 bytes and the same name as
// subject and issuer.
Result<CertificatePtr> make_certificate(Library& library, EVP_PKEY* key,
                                        std::string_view common_name) {
  CertificatePtr certificate(X509_new_ex(library.context(), library.properties()));
  std::array<std::byte, 8> serial{};
  if (auto filled = library.random(serial); !filled) return forward_error(filled);
  serial[0] = (serial[0] & std::byte{0x7f}) | std::byte{0x40};  // positive, and no leading zeros
  std::uint64_t number = 0;
  for (const std::byte byte : serial) number = number << 8 | std::to_integer<std::uint64_t>(byte);
  X509* x509 = certificate.get();
  if (x509 == nullptr || X509_set_version(x509, X509_VERSION_3) != 1 ||
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), number) != 1 ||
      X509_gmtime_adj(X509_getm_notBefore(x509), -kDay) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(x509), kValidDays * kDay) == nullptr ||
      X509_set_pubkey(x509, key) != 1) {
    return failure("X509");
  }
  X509_NAME* name = X509_get_subject_name(x509);
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common_name.data()),
                                 static_cast<int>(common_name.size()), -1, 0) != 1 ||
      X509_set_issuer_name(x509, name) != 1 ||
      X509_sign(x509, key, library.digest(HashAlgorithm::sha256)) == 0) {
    return failure("X509_sign");
  }
  return certificate;
}

constexpr std::string_view kKeyTypes =
    "private_key is none of P-256, P-384, Ed25519, RSA of 2048 bits or more";

// As many as this library accepts from a peer.
constexpr std::size_t kMaxCertificates = 16;

// Checked here, because the chain is sent to peers without further checks.
Result<std::vector<CertificatePtr>> parse(const std::vector<Buffer>& chain) {
  if (chain.empty()) return invalid("certificates: none");
  if (chain.size() > kMaxCertificates) return invalid("certificates: more than 16");
  std::vector<CertificatePtr> certificates;
  for (const Buffer& der : chain) {
    certificates.push_back(parse_certificate(der));
    if (!certificates.back()) return invalid("certificates: DER");
  }
  return certificates;
}

std::vector<Buffer> copy_of(std::span<const Bytes> certificates) {
  std::vector<Buffer> chain;
  for (const Bytes der : certificates) chain.emplace_back(der.begin(), der.end());
  return chain;
}

// `own`: the private key, null if it is kept elsewhere. It may own `key`.
Result<std::shared_ptr<const Credentials>> assemble(std::vector<Buffer> chain,
                                                    std::vector<CertificatePtr> certificates,
                                                    const EVP_PKEY* key, KeyPtr own) {
  const auto type = key_type(key);
  if (!type) return invalid(kKeyTypes);
  auto public_key = public_key_info(key);
  if (!public_key) return invalid("public key");
  return std::make_shared<const Credentials>(std::move(chain), std::move(certificates),
                                             std::move(*public_key), std::move(own), *type);
}

KeyPtr key_from_pem(std::string_view text) {
  const BioPtr bio = memory_bio(text);
  return KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
}

// Null if `der` is not exactly one private key.
KeyPtr key_from_der(Bytes der) {
  const unsigned char* at = octets(der);
  KeyPtr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  return at == octets(der) + der.size() ? std::move(key) : nullptr;
}

}  // namespace

Credentials::Credentials(std::vector<Buffer> chain, std::vector<CertificatePtr> certificates,
                         Buffer public_key, KeyPtr key, KeyType type)
    : chain_(std::move(chain)),
      raw_public_key_{std::move(public_key)},
      key_(std::move(key)),
      type_(type) {
  for (const CertificatePtr& entry : certificates) {
    issuers_.push_back(issuer_name(entry.get()));
    // The signature of a self-issued certificate is not verified, so its scheme does not matter.
    if (issuers_.back() == subject_name(entry.get())) continue;
    if (const auto scheme = signature_scheme(entry.get())) chain_schemes_.push_back(*scheme);
  }
  if (!certificates.empty()) certificate_ = std::move(certificates.front());
}

Result<std::shared_ptr<const Credentials>> Credentials::make(std::vector<Buffer> chain,
                                                             KeyPtr key) {
  if (!key) return invalid("private_key");
  auto certificates = parse(chain);
  if (!certificates) return forward_error(certificates);
  if (X509_check_private_key(certificates->front().get(), key.get()) != 1) {
    return invalid("private_key does not belong to the certificate");
  }
  const EVP_PKEY* public_key = key.get();
  return assemble(std::move(chain), std::move(*certificates), public_key, std::move(key));
}

Result<std::shared_ptr<const Credentials>> Credentials::make_without_key(
    std::vector<Buffer> chain) {
  auto certificates = parse(chain);
  if (!certificates) return forward_error(certificates);
  const EVP_PKEY* public_key = X509_get0_pubkey(certificates->front().get());
  return assemble(std::move(chain), std::move(*certificates), public_key, nullptr);
}

Result<std::shared_ptr<const Credentials>> Credentials::make_raw(KeyPtr key, KeyPart part) {
  if (!key) return invalid("private_key");
  const EVP_PKEY* public_key = key.get();
  if (part == KeyPart::private_key) return assemble({}, {}, public_key, std::move(key));
  return assemble({}, {}, public_key, nullptr);
}

bool Credentials::is_for(std::string_view host) const {
  return certificate_ && X509_check_host(certificate_.get(), host.data(), host.size(),
                                         X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1;
}

bool Credentials::is_issued_by(const std::vector<Bytes>& authorities) const {
  return std::ranges::any_of(authorities, [&](Bytes authority) {
    return std::ranges::any_of(
        issuers_, [&](const Buffer& issuer) { return std::ranges::equal(issuer, authority); });
  });
}

}  // namespace crypto

using crypto::Credentials;

Identity::Identity(std::shared_ptr<const Credentials> credentials)
    : credentials_(std::move(credentials)) {}

Result<Identity> Identity::to_identity(Result<std::shared_ptr<const Credentials>> credentials) {
  return std::move(credentials).map([](auto made) { return Identity(std::move(made)); });
}

Result<Identity> Identity::self_signed(Environment& environment, std::string_view common_name) {
  crypto::Library& library = environment.library();
  EVP_PKEY* generated = nullptr;
  if (EVP_PKEY_generate(library.generator(NamedGroup::secp256r1), &generated) != 1) {
    return crypto::failure("EVP_PKEY_generate");
  }
  crypto::KeyPtr key(generated);
  auto certificate = crypto::make_certificate(library, key.get(), common_name);
  if (!certificate) return forward_error(certificate);
  auto der = crypto::to_der(certificate->get());
  if (!der) return forward_error(der);
  return to_identity(Credentials::make({std::move(*der)}, std::move(key)));
}

Result<Identity> Identity::from_pem(std::string_view certificates, std::string_view private_key) {
  auto chain = crypto::certificates_from_pem(certificates);
  if (!chain) return forward_error(chain);
  auto key = crypto::key_from_pem(private_key);
  if (!key) return crypto::invalid("private_key: PEM");
  return to_identity(Credentials::make(std::move(*chain), std::move(key)));
}

Result<Identity> Identity::from_der(std::span<const Bytes> certificates, Bytes private_key) {
  auto key = crypto::key_from_der(private_key);
  if (!key) return crypto::invalid("private_key: DER");
  return to_identity(Credentials::make(crypto::copy_of(certificates), std::move(key)));
}

Result<Identity> Identity::with_key_elsewhere(std::string_view certificates) {
  auto chain = crypto::certificates_from_pem(certificates);
  if (!chain) return forward_error(chain);
  return to_identity(Credentials::make_without_key(std::move(*chain)));
}

Result<Identity> Identity::with_key_elsewhere(std::span<const Bytes> certificates) {
  return to_identity(Credentials::make_without_key(crypto::copy_of(certificates)));
}

Result<Identity> Identity::raw_public_key(std::string_view private_key) {
  auto key = crypto::key_from_pem(private_key);
  if (!key) return crypto::invalid("private_key: PEM");
  return to_identity(Credentials::make_raw(std::move(key), Credentials::KeyPart::private_key));
}

Result<Identity> Identity::raw_public_key(Bytes private_key) {
  auto key = crypto::key_from_der(private_key);
  if (!key) return crypto::invalid("private_key: DER");
  return to_identity(Credentials::make_raw(std::move(key), Credentials::KeyPart::private_key));
}

Result<Identity> Identity::raw_public_key_elsewhere(Bytes public_key) {
  const unsigned char* at = crypto::octets(public_key);
  crypto::KeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(public_key.size())));
  if (!key || at != crypto::octets(public_key) + public_key.size()) {
    return crypto::invalid("public_key: DER");
  }
  return to_identity(Credentials::make_raw(std::move(key), Credentials::KeyPart::public_key));
}

Bytes Identity::certificate() const {
  const auto& chain = credentials_->chain();
  return chain.empty() ? Bytes{} : Bytes(chain.front());
}
Bytes Identity::public_key() const {
  return credentials_->contents(CertificateType::raw_public_key).front();
}
bool Identity::has_key_elsewhere() const { return !credentials_->has_key(); }

}  // namespace sluice::dtls
