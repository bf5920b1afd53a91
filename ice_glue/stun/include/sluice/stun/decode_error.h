// Why a datagram is no STUN message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::stun {

enum class DecodeError : std::uint8_t {
  too_short,             // smaller than the header's 20 bytes; an empty datagram too
  not_stun,              // one of the two most significant bits is set (RFC 8489 section 5)
  wrong_magic_cookie,    // not 0x2112A442: RFC 3489, or no STUN at all
  wrong_length,          // the header's length is not a multiple of 4, or not the number of bytes
                         // that follow the header: cut off, or something behind the message
  attribute_too_long,    // an attribute reaches beyond the end of the message
  wrong_attribute_size,  // an attribute that Message shows has a size that its type does not allow
  unknown_family,        // an address that is neither IPv4 nor IPv6
  wrong_error_code,      // not 300 to 699 (RFC 8489 section 14.8)
  fingerprint_not_last,  // an attribute follows FINGERPRINT (RFC 8489 section 14.7)
  wrong_fingerprint,     // FINGERPRINT is not the CRC-32 of the message
};
inline constexpr std::size_t kDecodeErrors = 10;

std::string_view to_string(DecodeError error);

}  // namespace sluice::stun
