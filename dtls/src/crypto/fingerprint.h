// The functions for fingerprints with a Library instead of an Environment.
#pragma once

#include <optional>
#include <span>

#include <sluice/dtls/fingerprint.h>

#include "crypto/hash.h"

namespace sluice::dtls::crypto {

class Library;

Result<Fingerprint> fingerprint_of(Library& library, Bytes certificate, HashAlgorithm hash);
// The same as sluice::dtls::matches().
Result<bool> matches(Library& library, std::span<const Fingerprint> announced, Bytes certificate);
// The certificate's fingerprint by the strongest hash in `announced`; null if the list lacks it.
// `known`: the SHA-256 of the certificate, if it was computed before.
Result<const Fingerprint*> find_match(Library& library, std::span<const Fingerprint> announced,
                                      Bytes certificate, const std::optional<Sha256>& known = {});
// The strongest hash in the list, which must not be empty.
HashAlgorithm strongest_hash(std::span<const Fingerprint> announced);

}  // namespace sluice::dtls::crypto
