// Fingerprints, computed with a Library rather than an Environment.
#pragma once

#include <span>

#include <sluice/dtls/fingerprint.h>

namespace sluice::dtls::crypto {

class Library;

Result<Fingerprint> fingerprint_of(Library& library, Bytes certificate, HashAlgorithm hash);
// As sluice::dtls::matches().
Result<bool> matches(Library& library, std::span<const Fingerprint> announced, Bytes certificate);

}  // namespace sluice::dtls::crypto
