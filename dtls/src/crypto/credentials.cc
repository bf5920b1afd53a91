#include "crypto/credentials.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <ranges>

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

// An encrypted key is refused, never asked for its passphrase on a terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

Result<Buffer> to_der(X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  if (size <= 0) return invalid("i2d_X509");
  Buffer der(static_cast<std::size_t>(size));
  unsigned char* at = octets(MutableBytes(der));
  if (i2d_X509(certificate, &at) != size) return invalid("i2d_X509");
  return der;
}

Result<std::vector<Buffer>> chain_from_pem(std::string_view text) {
  const BioPtr bio = memory_bio(text);
  std::vector<Buffer> chain;
  while (const CertificatePtr certificate{
      PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
    auto der = to_der(certificate.get());
    if (!der) return tl::unexpected(der.error());
    chain.push_back(std::move(*der));
  }
  // The end of the text shows as a missing start line; anything else is a damaged certificate.
  const unsigned long last = ERR_peek_last_error();
  if (chain.empty() || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
    return invalid("certificates: PEM");
  drain_error_queue();
  return chain;
}

// Version 3, a random serial of 8 bytes, subject and issuer the same name.
Result<CertificatePtr> make_certificate(Library& library, EVP_PKEY* key,
                                        std::string_view common_name) {
  CertificatePtr certificate(X509_new_ex(library.context(), library.properties()));
  std::array<std::byte, 8> serial{};
  if (auto filled = library.random(serial); !filled) return tl::unexpected(filled.error());
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

}  // namespace

Result<std::shared_ptr<const Credentials>> Credentials::make(std::vector<Buffer> chain,
                                                             KeyPtr key) {
  if (chain.empty()) return invalid("certificates: none");
  if (!key) return invalid("private_key");
  // What isn't a certificate would go to every peer. From the last, so that our own remains.
  CertificatePtr certificate;
  for (const Buffer& der : std::views::reverse(chain)) {
    const unsigned char* at = octets(Bytes(der));
    certificate.reset(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (!certificate || at != octets(Bytes(der)) + der.size()) return invalid("certificates: DER");
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return invalid("private_key does not belong to the certificate");
  }
  const auto type = key_type(key.get());
  if (!type) return invalid("private_key is none of P-256, P-384, RSA of 2048 bits or more");
  return std::make_shared<const Credentials>(std::move(chain), std::move(key), *type);
}

}  // namespace crypto

using crypto::Credentials;

Identity::Identity(std::shared_ptr<const Credentials> credentials)
    : credentials_(std::move(credentials)) {}

Result<Identity> Identity::self_signed(Environment& environment, std::string_view common_name) {
  crypto::Library& library = environment.library();
  EVP_PKEY* generated = nullptr;
  if (EVP_PKEY_generate(library.generator(NamedGroup::secp256r1), &generated) != 1) {
    return crypto::failure("EVP_PKEY_generate");
  }
  crypto::KeyPtr key(generated);
  auto certificate = crypto::make_certificate(library, key.get(), common_name);
  if (!certificate) return tl::unexpected(certificate.error());
  auto der = crypto::to_der(certificate->get());
  if (!der) return tl::unexpected(der.error());
  std::vector<Buffer> chain;
  chain.push_back(std::move(*der));
  return Identity(std::make_shared<const Credentials>(std::move(chain), std::move(key),
                                                      crypto::KeyType::ecdsa_p256));
}

Result<Identity> Identity::from_pem(std::string_view certificates, std::string_view private_key) {
  auto chain = crypto::chain_from_pem(certificates);
  if (!chain) return tl::unexpected(chain.error());
  const crypto::BioPtr bio = crypto::memory_bio(private_key);
  crypto::KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, crypto::no_passphrase, nullptr));
  if (!key) return crypto::invalid("private_key: PEM");
  return Credentials::make(std::move(*chain), std::move(key)).map([](auto credentials) {
    return Identity(std::move(credentials));
  });
}

Result<Identity> Identity::from_der(std::span<const Bytes> certificates, Bytes private_key) {
  std::vector<Buffer> chain;
  for (const Bytes certificate : certificates)
    chain.emplace_back(certificate.begin(), certificate.end());
  const unsigned char* at = crypto::octets(private_key);
  crypto::KeyPtr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(private_key.size())));
  if (!key || at != crypto::octets(private_key) + private_key.size()) {
    return crypto::invalid("private_key: DER");
  }
  return Credentials::make(std::move(chain), std::move(key)).map([](auto credentials) {
    return Identity(std::move(credentials));
  });
}

Bytes Identity::certificate() const { return credentials_->chain().front(); }

}  // namespace sluice::dtls
