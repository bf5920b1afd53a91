// Certificate fingerprints as SDP carries them (RFC 8122).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <sluice/dtls/environment.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

// The hash of a certificate's DER. A value type.
struct Fingerprint {
  HashAlgorithm hash;
  Buffer value;  // 20, 32, 48 or 64 bytes

  // From the two words after "a=fingerprint:": the hash's name and the value as hexadecimal pairs
  // joined by colons, both in any case. Errors: decode_error; unknown hashes are invalid_argument.
  static Result<Fingerprint> parse(std::string_view hash, std::string_view value);
  // Hashes `certificate` (DER). Errors: libcrypto_failure.
  static Result<Fingerprint> of(Bytes certificate, HashAlgorithm hash, Environment& environment);

  // "sha-256 AB:CD:...", upper case, as RFC 8122 section 5 wants it.
  [[nodiscard]] std::string to_sdp() const;

  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// Whether `certificate` (DER) is one of those announced: of the strongest hash in the list any
// value may match, weaker hashes are then not looked at (RFC 8122 section 5). An empty list matches
// none.
Result<bool> matches(std::span<const Fingerprint> announced, Bytes certificate,
                     Environment& environment);

}  // namespace sluice::dtls
