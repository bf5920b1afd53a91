// Where a STUN message has what, and big-endian numbers in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <sluice/dtls/bytes.h>

namespace sluice::stun {

// The header (RFC 8489 section 5): type, length, magic cookie, transaction ID.
inline constexpr std::size_t kLengthAt = 2;
inline constexpr std::size_t kCookieAt = 4;
inline constexpr std::size_t kTransactionAt = 8;
inline constexpr std::uint32_t kMagicCookie = 0x2112a442;

// Section 14.7: keeps FINGERPRINT apart from the CRC-32 of a protocol that carries STUN.
inline constexpr std::uint32_t kFingerprintMask = 0x5354554e;

// The families of addresses (section 14.1).
inline constexpr std::uint8_t kIpv4Family = 1;
inline constexpr std::uint8_t kIpv6Family = 2;
inline constexpr std::size_t kAddressAt = 4;  // after a zero byte, the family, and the port

// The hundreds digit of an error code, after two reserved bytes (section 14.8).
inline constexpr std::size_t kErrorClassAt = 2;
inline constexpr std::size_t kReasonAt = 4;
inline constexpr std::uint16_t kMinErrorCode = 300;
inline constexpr std::uint16_t kMaxErrorCode = 699;

// XOR-MAPPED-ADDRESS is masked by the magic cookie and the transaction ID (section 14.2), as they
// stand in the message; MAPPED-ADDRESS by nothing.
inline constexpr std::size_t kMaskSize = 16;
inline constexpr std::array<std::byte, kMaskSize> kNoMask{};

// Attributes start at multiples of four (section 14).
constexpr std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

template <class Number>
Number load(dtls::Bytes bytes, std::size_t at = 0) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value = static_cast<Number>((std::uint64_t{value} << 8) |
                                std::to_integer<std::uint64_t>(bytes[at + i]));
  }
  return value;
}

// The lower `size` bytes of `value`.
inline void store(dtls::MutableBytes bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    bytes[at + i] = static_cast<std::byte>(value >> (8 * (size - 1 - i)) & 0xff);
  }
}

}  // namespace sluice::stun
