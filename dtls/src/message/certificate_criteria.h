// The certificates that a peer accepts, according to its ClientHello or CertificateRequest.
#pragma once

#include <optional>
#include <vector>

#include "message/certificate_request12.h"
#include "message/certificate_request13.h"
#include "message/certificate_types.h"
#include "message/client_hello.h"

namespace sluice::dtls::message {

// The members are views into the message.
struct CertificateCriteria {
  wire::CodeList<SignatureScheme> schemes = {};
  wire::CodeList<SignatureScheme> chain_schemes = {};  // for the chain; empty: `schemes` apply
  std::vector<Bytes> authorities = {};                 // distinguished names (DER)
  CertificateTypeSet types = {};  // in a ClientHello; a client learns it from other messages

  // The schemes that the peer accepts in the signatures of a chain.
  [[nodiscard]] wire::CodeList<SignatureScheme> schemes_of_chain() const {
    return chain_schemes.empty() ? schemes : chain_schemes;
  }
};

// An absent extension leaves its field empty. Returns nothing when an extension is malformed.
std::optional<CertificateCriteria> criteria_of(const ExtensionBlock& extensions);
CertificateCriteria criteria_of(const CertificateRequest12& request);

}  // namespace sluice::dtls::message
