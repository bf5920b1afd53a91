#include "crypto/trust_anchors.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ranges>

#include <sluice/dtls/trust_store.h>

#include "crypto/certificate.h"
#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls {
namespace crypto {
namespace {

// 112 bits of security: RSA keys of at least 2048 bits, no SHA-1.
constexpr int kSecurityLevel = 2;

Alert alert_of(int reason) {
  switch (reason) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return Alert::unknown_ca;
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Alert::certificate_expired;
    case X509_V_ERR_CERT_REVOKED:
      return Alert::certificate_revoked;
    case X509_V_ERR_INVALID_PURPOSE:
      return Alert::unsupported_certificate;
    default:
      return Alert::bad_certificate;
  }
}

tl::unexpected<Error> untrusted(int reason) {
  return failure(Errc::untrusted_certificate, alert_of(reason),
                 X509_verify_cert_error_string(reason));
}

bool set_name(X509_VERIFY_PARAM* parameters, std::string_view name) {
  if (name.empty()) return true;
  // RFC 9525 section 6.3: only subjectAltName counts, and a wildcard replaces a whole label.
  X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const std::string text(name);
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, text.c_str()) == 1) return true;
  drain_error_queue();
  return X509_VERIFY_PARAM_set1_host(parameters, text.data(), text.size()) == 1;
}

// Whether one of these schemes signed each certificate below the anchor.
bool is_signed_with(STACK_OF(X509) * chain, std::span<const SignatureScheme> schemes) {
  for (int i = 0; i + 1 < sk_X509_num(chain); ++i) {
    const auto scheme = signature_scheme(sk_X509_value(chain, i));
    if (!scheme || std::ranges::find(schemes, *scheme) == schemes.end()) return false;
  }
  return true;
}

// How long the certificates of a verified chain remain valid after `at`, which is now if it is
// empty.
Result<std::chrono::seconds> remaining_validity(STACK_OF(X509) * chain,
                                                const std::optional<TrustAnchors::Time>& at) {
  const TimePtr from(at ? ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(*at))
                        : nullptr);
  if (at && !from) return failure("ASN1_TIME_set");
  auto shortest = std::chrono::seconds::max();
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    int days = 0;
    int seconds = 0;
    const ASN1_TIME* end = X509_get0_notAfter(sk_X509_value(chain, i));
    if (ASN1_TIME_diff(&days, &seconds, from.get(), end) != 1) return failure("ASN1_TIME_diff");
    const std::chrono::seconds left = std::chrono::hours{24} * days + std::chrono::seconds{seconds};
    shortest = std::min(shortest, left);
  }
  return shortest;
}

}  // namespace

Result<std::chrono::seconds> TrustAnchors::verify(Library& library, std::span<const Buffer> chain,
                                                  const ChainPolicy& policy) const {
  std::vector<CertificatePtr> certificates;
  for (const Buffer& der : chain) {
    certificates.push_back(parse_certificate(der, library.context(), library.properties()));
    if (!certificates.back()) {
      return failure(Errc::invalid_certificate, Alert::bad_certificate, "d2i_X509");
    }
  }
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> others(
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  for (const auto& certificate : certificates | std::views::drop(1)) {
    if (sk_X509_push(others.get(), certificate.get()) <= 0) return failure("sk_X509_push");
  }
  const StoreContextPtr context(X509_STORE_CTX_new_ex(library.context(), library.properties()));
  if (!context || X509_STORE_CTX_init(context.get(), store_.get(), certificates.front().get(),
                                      others.get()) != 1) {
    return failure("X509_STORE_CTX_init");
  }
  const char* purpose = policy.peer == Role::server ? "ssl_server" : "ssl_client";
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  if (X509_STORE_CTX_set_default(context.get(), purpose) != 1 ||
      !set_name(parameters, policy.name)) {
    return failure("X509_VERIFY_PARAM");
  }
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  if (at_) X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(*at_));
  if (X509_verify_cert(context.get()) != 1) {
    return untrusted(X509_STORE_CTX_get_error(context.get()));
  }
  STACK_OF(X509)* verified = X509_STORE_CTX_get0_chain(context.get());
  if (!is_signed_with(verified, policy.signature_schemes)) {
    return failure(Errc::untrusted_certificate, Alert::unsupported_certificate,
                   "signature scheme of a certificate");
  }
  return remaining_validity(verified, at_);
}

}  // namespace crypto

namespace {

using crypto::TrustAnchors;

// The digests of anchors are SHA-256. A TrustStore has no Environment, so they come from
// libcrypto's default context.
constexpr std::size_t kDigestSize = 32;

bool put_digest(MutableBytes out, Bytes data) {
  return EVP_Digest(data.data(), data.size(), crypto::octets(out), nullptr, EVP_sha256(),
                    nullptr) == 1;
}

Result<std::shared_ptr<const TrustAnchors>> anchors_of(std::span<const Bytes> certificates,
                                                       TrustStore::Time at) {
  crypto::StorePtr store(X509_STORE_new());
  std::vector<Buffer> names;
  std::vector<std::array<std::byte, kDigestSize>> digests;
  for (const Bytes der : certificates) {
    const auto certificate = crypto::parse_certificate(der);
    if (!certificate || !store || X509_STORE_add_cert(store.get(), certificate.get()) != 1) {
      return crypto::failure(Errc::invalid_certificate, {}, "certificates: DER");
    }
    names.push_back(crypto::subject_name(certificate.get()));
    if (!put_digest(digests.emplace_back(), der)) return crypto::failure("EVP_Digest");
  }
  if (names.empty()) return crypto::failure(Errc::invalid_certificate, {}, "certificates: none");
  std::ranges::sort(digests);
  const auto repeated = std::ranges::unique(digests);
  digests.erase(repeated.begin(), repeated.end());
  Buffer fingerprint(kDigestSize);
  if (!put_digest(fingerprint, std::as_bytes(std::span(digests)))) {
    return crypto::failure("EVP_Digest");
  }
  return std::make_shared<const TrustAnchors>(std::move(store), std::move(names),
                                              std::move(fingerprint), at);
}

}  // namespace

TrustStore::TrustStore(std::shared_ptr<const TrustAnchors> anchors)
    : anchors_(std::move(anchors)) {}

Result<TrustStore> TrustStore::from_der(std::span<const Bytes> certificates, Time at) {
  return anchors_of(certificates, at).map([](auto anchors) {
    return TrustStore(std::move(anchors));
  });
}

Result<TrustStore> TrustStore::from_pem(std::string_view certificates, Time at) {
  const auto ders = crypto::certificates_from_pem(certificates);
  if (!ders) return forward_error(ders);
  return from_der(std::vector<Bytes>(ders->begin(), ders->end()), at);
}

Result<TrustStore> TrustStore::system(Time at) {
  crypto::StorePtr store(X509_STORE_new());
  if (!store || X509_STORE_set_default_paths(store.get()) != 1) {
    return crypto::failure("X509_STORE_set_default_paths");
  }
  return TrustStore(
      std::make_shared<const TrustAnchors>(std::move(store), std::vector<Buffer>{}, Buffer{}, at));
}

}  // namespace sluice::dtls
