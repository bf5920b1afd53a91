// What a TrustStore holds, and the verification of chains by it.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

class Library;

// What a chain has to show besides its way to an anchor.
struct ChainPolicy {
  Role peer;
  std::string_view name;  // that the certificate must be for; empty: any
  // That its certificates may be signed with; the anchor's own signature doesn't count.
  std::span<const SignatureScheme> signature_schemes;
};

class TrustAnchors {
 public:
  using Time = std::chrono::system_clock::time_point;
  TrustAnchors(StorePtr store, std::vector<Buffer> names, std::optional<Time> at)
      : store_(std::move(store)), names_(std::move(names)), at_(at) {}

  // The distinguished names of the anchors; none of the system's.
  [[nodiscard]] const std::vector<Buffer>& names() const { return names_; }

  // The peer's own certificate is the first. Errors: invalid_certificate; untrusted_certificate,
  // whose detail is libcrypto's reason.
  Result<void> verify(Library& library, std::span<const Buffer> chain,
                      const ChainPolicy& policy) const;

 private:
  StorePtr store_;
  std::vector<Buffer> names_;
  std::optional<Time> at_;
};

}  // namespace sluice::dtls::crypto
