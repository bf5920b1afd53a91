// The public key of a certificate that is trusted by its fingerprint, and raw public keys.
#pragma once

#include <optional>

#include "crypto/public_key.h"

namespace sluice::dtls::crypto {

// Reads only the SubjectPublicKeyInfo of the certificate. d2i_X509 takes as long as one and a half
// signature verifications, and authentication by fingerprint uses no other field of a self-signed
// certificate. P-256 keys are recognised by their fixed prefix. d2i_X509 parses other keys, and
// certificates that the DER walk does not accept.
//
// Errors: invalid_certificate with bad_certificate, unsupported_certificate.
Result<PublicKey> certificate_key(Library& library, Bytes certificate);

// A raw public key: a SubjectPublicKeyInfo in DER (RFC 7250 section 3). Errors: as above.
Result<PublicKey> raw_public_key(Library& library, Bytes info);
// The SubjectPublicKeyInfo of a key. Errors: libcrypto_failure.
Result<Buffer> public_key_info(const EVP_PKEY* key);

// The SubjectPublicKeyInfo element (RFC 5280 section 4.1) by a strict DER walk: definite lengths
// only, each element inside its parent, nothing after the certificate. Empty when the walk fails.
std::optional<Bytes> subject_public_key_info(Bytes certificate);

// Uses d2i_X509 only. It is the fallback of certificate_key(), and the reference for its tests.
Result<PublicKey> certificate_key_by_x509(Library& library, Bytes certificate);

}  // namespace sluice::dtls::crypto
