// Trusted certificate authorities.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

namespace sluice::dtls {

namespace crypto {
class TrustAnchors;
}

// Immutable, cheap to copy; copies may be used by several threads at once.
//
// libcrypto's X509_verify_cert (RFC 5280) verifies chains at security level 2: no RSA key below
// 2048 bits, no SHA-1. Every certificate in the store is a trust anchor, self-signed or not.
// Revocation is not checked.
class TrustStore {
 public:
  // The time at which chains must be valid; empty: the system clock at verification.
  using Time = std::optional<std::chrono::system_clock::time_point>;

  // Errors: invalid_certificate, also for an empty list.
  static Result<TrustStore> from_pem(std::string_view certificates, Time at = {});
  static Result<TrustStore> from_der(std::span<const Bytes> certificates, Time at = {});
  // The system's authorities, as libcrypto is configured (SSL_CERT_FILE, SSL_CERT_DIR). Errors:
  // libcrypto_failure.
  static Result<TrustStore> system(Time at = {});

  // Internal: for the engine only.
  [[nodiscard]] const crypto::TrustAnchors& anchors() const { return *anchors_; }

 private:
  explicit TrustStore(std::shared_ptr<const crypto::TrustAnchors> anchors);
  std::shared_ptr<const crypto::TrustAnchors> anchors_;
};

}  // namespace sluice::dtls
