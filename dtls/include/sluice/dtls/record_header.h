// What a record's header says of it.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::dtls {

// Other numbers of a peer's are possible wherever one is read.
enum class ContentType : std::uint8_t {
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application_data = 23,
  ack = 26,  // RFC 9147 section 7
};

// Which keys protect a record; 0 is plaintext. 64 bits in DTLS 1.3, of which records carry fewer.
enum class Epoch : std::uint64_t {};

// Counts the records of an epoch, 48 bits on the wire (RFC 6347 section 4.1).
enum class SequenceNumber : std::uint64_t {};

// The registry's names; "unknown" for other numbers.
std::string_view to_string(ContentType type);

}  // namespace sluice::dtls
