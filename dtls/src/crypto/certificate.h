// Certificates parsed by libcrypto. Authentication by fingerprint does not need this.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

// Null if `der` is not exactly one certificate. `library` and `properties` are the arguments of
// X509_new_ex().
CertificatePtr parse_certificate(Bytes der, OSSL_LIB_CTX* library = nullptr,
                                 const char* properties = nullptr);
// Encrypted PEM is refused; libcrypto must not prompt for a passphrase.
int no_passphrase(char* buffer, int size, int writes, void* data);
// The certificates in a PEM text, as DER. Errors: invalid_certificate.
Result<std::vector<Buffer>> certificates_from_pem(std::string_view text);
Result<Buffer> to_der(X509* certificate);
// Distinguished names in the encoding of certificate_authorities (RFC 8446 section 4.2.4).
Buffer subject_name(const X509* certificate);
Buffer issuer_name(const X509* certificate);
// The scheme with which the issuer signed the certificate; empty if SignatureScheme has no value
// for it. An ECDSA scheme does not determine the curve here.
std::optional<SignatureScheme> signature_scheme(X509* certificate);

}  // namespace sluice::dtls::crypto
