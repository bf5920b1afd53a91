// Certificates as libcrypto reads them, for what the fingerprint path never needs.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>

#include "crypto/openssl_ptr.h"

namespace sluice::dtls::crypto {

// Null when it isn't exactly one certificate. `library` and `properties` as X509_new_ex() takes
// them.
CertificatePtr parse_certificate(Bytes der, OSSL_LIB_CTX* library = nullptr,
                                 const char* properties = nullptr);
// What is encrypted is refused: nobody is asked for its passphrase on a terminal.
int no_passphrase(char* buffer, int size, int writes, void* data);
// Those of a PEM text, as DER. Errors: invalid_certificate.
Result<std::vector<Buffer>> certificates_from_pem(std::string_view text);
Result<Buffer> to_der(X509* certificate);
// Distinguished names as certificate_authorities has them.
Buffer subject_name(const X509* certificate);
Buffer issuer_name(const X509* certificate);
// By which scheme its issuer has signed it; empty for one without a number here. ECDSA's leave the
// curve open.
std::optional<SignatureScheme> signature_scheme(X509* certificate);

}  // namespace sluice::dtls::crypto
