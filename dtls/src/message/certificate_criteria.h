// What a peer says about the certificates that it takes, in a ClientHello or a CertificateRequest.
#pragma once

#include <optional>
#include <vector>

#include "message/certificate_request12.h"
#include "message/certificate_request13.h"
#include "message/client_hello.h"

namespace sluice::dtls::message {

// Views of the message.
struct CertificateCriteria {
  wire::CodeList<SignatureScheme> schemes = {};
  wire::CodeList<SignatureScheme> chain_schemes = {};  // of the chain; empty: the same
  std::vector<Bytes> authorities = {};                 // distinguished names (DER)

  // Whether a chain's certificate may be signed so.
  [[nodiscard]] bool takes_in_chain(SignatureScheme scheme) const {
    return (chain_schemes.empty() ? schemes : chain_schemes).contains(scheme);
  }
};

// Absent extensions leave their field empty; empty when one is malformed.
std::optional<CertificateCriteria> criteria_of(const ExtensionBlock& extensions);
CertificateCriteria criteria_of(const CertificateRequest12& request);

}  // namespace sluice::dtls::message
