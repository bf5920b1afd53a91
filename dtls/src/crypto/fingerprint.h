// The functions for fingerprints with a Library instead of an Environment.
#pragma once

#include <optional>
#include <span>

#include <sluice/dtls/fingerprint.h>

namespace sluice::dtls::crypto {

class Library;

Result<Fingerprint> fingerprint_of(Library& library, Bytes certificate, HashAlgorithm hash);
// The same as sluice::dtls::matches().
Result<bool> matches(Library& library, std::span<const Fingerprint> announced, Bytes certificate);
// The certificate's fingerprint by the strongest hash in `announced`, if the list has it; otherwise
// empty.
Result<std::optional<Fingerprint>> find_match(Library& library,
                                              std::span<const Fingerprint> announced,
                                              Bytes certificate);
// The strongest hash in the list, which must not be empty.
HashAlgorithm strongest_hash(std::span<const Fingerprint> announced);

}  // namespace sluice::dtls::crypto
