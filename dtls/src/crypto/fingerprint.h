// The functions for fingerprints with a Library instead of an Environment.
#pragma once

#include <span>

#include <sluice/dtls/fingerprint.h>

namespace sluice::dtls::crypto {

class Library;

Result<Fingerprint> fingerprint_of(Library& library, Bytes certificate, HashAlgorithm hash);
// The same as sluice::dtls::matches().
Result<bool> matches(Library& library, std::span<const Fingerprint> announced, Bytes certificate);

}  // namespace sluice::dtls::crypto
