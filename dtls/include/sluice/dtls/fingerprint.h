// Certificate fingerprints in SDP, a=fingerprint (RFC 8122).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <sluice/dtls/environment.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

// The hash of a certificate in DER, or of a raw public key (Identity::public_key()). A value type:
// copy and share it freely.
struct Fingerprint {
  HashAlgorithm hash{};
  Buffer value;  // 20, 32, 48 or 64 bytes

  // Reads the two words after "a=fingerprint:": the hash's name and the value as hexadecimal pairs
  // joined by colons, both in any case. Errors: decode_error; invalid_argument for an unknown hash.
  static Result<Fingerprint> parse(std::string_view hash, std::string_view value);
  // The same of one text with a space between the words, as to_sdp() writes it. See also
  // <sluice/dtls/sdp.h>.
  static Result<Fingerprint> parse(std::string_view hash_and_value);
  // Hashes `certificate` (DER). Errors: libcrypto_failure.
  static Result<Fingerprint> of(Bytes certificate, HashAlgorithm hash, Environment& environment);

  // "sha-256 AB:CD:...", in upper case (RFC 8122 section 5).
  [[nodiscard]] std::string to_sdp() const;

  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// Whether `certificate` (DER) matches one of `announced`. Only the strongest hash in the list
// counts: any of its values may match, weaker hashes are ignored (RFC 8122 section 5.1). An empty
// list matches nothing. Errors: libcrypto_failure.
Result<bool> matches(std::span<const Fingerprint> announced, Bytes certificate,
                     Environment& environment);

}  // namespace sluice::dtls
