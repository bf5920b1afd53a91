// The fields of a record header.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::dtls {

// Values read from the wire may be other numbers than these.
enum class ContentType : std::uint8_t {
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application_data = 23,
  ack = 26,                       // RFC 9147 section 7
  return_routability_check = 27,  // RFC 9853 section 4
};

// Selects a record's keys; 0: plaintext. 64 bits in DTLS 1.3; records carry the low two.
enum class Epoch : std::uint64_t {};

// Numbers the records of an epoch from 0; 48 bits (RFC 6347 section 4.1).
enum class SequenceNumber : std::uint64_t {};

// IANA's names; "unknown" for other numbers.
std::string_view to_string(ContentType type);

}  // namespace sluice::dtls
