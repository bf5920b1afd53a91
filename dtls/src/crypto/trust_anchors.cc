#include "crypto/trust_anchors.h"

#include <openssl/x509v3.h>

#include <algorithm>
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

}  // namespace

Result<void> TrustAnchors::verify(Library& library, std::span<const Buffer> chain,
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
  if (!is_signed_with(X509_STORE_CTX_get0_chain(context.get()), policy.signature_schemes)) {
    return failure(Errc::untrusted_certificate, Alert::unsupported_certificate,
                   "signature scheme of a certificate");
  }
  return {};
}

}  // namespace crypto

namespace {

using crypto::TrustAnchors;

Result<std::shared_ptr<const TrustAnchors>> anchors_of(std::span<const Bytes> certificates,
                                                       TrustStore::Time at) {
  crypto::StorePtr store(X509_STORE_new());
  std::vector<Buffer> names;
  for (const Bytes der : certificates) {
    const auto certificate = crypto::parse_certificate(der);
    if (!certificate || !store || X509_STORE_add_cert(store.get(), certificate.get()) != 1) {
      return crypto::failure(Errc::invalid_certificate, {}, "certificates: DER");
    }
    names.push_back(crypto::subject_name(certificate.get()));
  }
  if (names.empty()) return crypto::failure(Errc::invalid_certificate, {}, "certificates: none");
  return std::make_shared<const TrustAnchors>(std::move(store), std::move(names), at);
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
      std::make_shared<const TrustAnchors>(std::move(store), std::vector<Buffer>{}, at));
}

}  // namespace sluice::dtls
