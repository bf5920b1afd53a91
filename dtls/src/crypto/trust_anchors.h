// The contents of a TrustStore, and the verification of certificate chains.
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

// The requirements for a chain, apart from a path to an anchor.
struct ChainPolicy {
  Role peer;
  std::string_view name;  // the name that the certificate must be valid for; empty: any
  // The schemes that may sign the chain's certificates; the signature of the anchor is not checked.
  std::span<const SignatureScheme> signature_schemes;
};

class TrustAnchors {
 public:
  using Time = std::chrono::system_clock::time_point;
  TrustAnchors(StorePtr store, std::vector<Buffer> names, Buffer fingerprint,
               std::optional<Time> at)
      : store_(std::move(store)),
        names_(std::move(names)),
        fingerprint_(std::move(fingerprint)),
        at_(at) {}

  // A SHA-256 over the set of the anchors: equal for equal sets, in any order. Empty for the
  // system's store.
  [[nodiscard]] const Buffer& fingerprint() const { return fingerprint_; }
  // The time at which chains must be valid; empty: the system clock.
  [[nodiscard]] const std::optional<Time>& at() const { return at_; }

  // The distinguished names of the anchors, without those of the system's store.
  [[nodiscard]] const std::vector<Buffer>& names() const { return names_; }

  // The first certificate of `chain` is the peer's own. Returns for how long all certificates up to
  // the anchor remain valid. Errors: invalid_certificate; untrusted_certificate, whose detail is
  // libcrypto's reason.
  Result<std::chrono::seconds> verify(Library& library, std::span<const Buffer> chain,
                                      const ChainPolicy& policy) const;

 private:
  StorePtr store_;
  std::vector<Buffer> names_;
  Buffer fingerprint_;
  std::optional<Time> at_;
};

}  // namespace sluice::dtls::crypto
