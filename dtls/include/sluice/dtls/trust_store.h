// The certificate authorities that a side trusts.
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

// Immutable and cheap to copy; copies may be used by several threads at once.
//
// A chain is verified by libcrypto's X509_verify_cert (RFC 5280) at its security level 2: no RSA
// below 2048 bits, no SHA-1. Every certificate here is an anchor, whether it is signed by itself or
// not. Revocation isn't looked at.
class TrustStore {
 public:
  // What chains have to be valid at; empty: the system's clock as it is then.
  using Time = std::optional<std::chrono::system_clock::time_point>;

  // Errors: invalid_certificate, also when there is none.
  static Result<TrustStore> from_pem(std::string_view certificates, Time at = {});
  static Result<TrustStore> from_der(std::span<const Bytes> certificates, Time at = {});
  // Those that libcrypto is configured with, which SSL_CERT_FILE and SSL_CERT_DIR can name. Errors:
  // libcrypto_failure.
  static Result<TrustStore> system(Time at = {});

  // For the engine's own use.
  [[nodiscard]] const crypto::TrustAnchors& anchors() const { return *anchors_; }

 private:
  explicit TrustStore(std::shared_ptr<const crypto::TrustAnchors> anchors);
  std::shared_ptr<const crypto::TrustAnchors> anchors_;
};

}  // namespace sluice::dtls
