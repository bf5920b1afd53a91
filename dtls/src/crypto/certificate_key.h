// The public key of a certificate that is trusted by its fingerprint.
#pragma once

#include <optional>

#include "crypto/public_key.h"

namespace sluice::dtls::crypto {

// Reads no more of the certificate than its SubjectPublicKeyInfo: d2i_X509 costs as much as
// verifying a signature and a half, and nothing else in a self-signed certificate means anything to
// who compares its fingerprint. P-256 keys are taken by their fixed prefix; any other key, and any
// certificate that this walk doesn't understand, goes to d2i_X509.
//
// Errors: invalid_certificate with bad_certificate, unsupported_certificate.
Result<PublicKey> certificate_key(Library& library, Bytes certificate);

// The SubjectPublicKeyInfo element (RFC 5280 section 4.1) by a strict DER walk: definite lengths
// only, each element inside its parent, nothing after the certificate. Empty when the walk fails.
std::optional<Bytes> subject_public_key_info(Bytes certificate);

// By d2i_X509 alone, for comparison.
Result<PublicKey> certificate_key_by_x509(Library& library, Bytes certificate);

}  // namespace sluice::dtls::crypto
