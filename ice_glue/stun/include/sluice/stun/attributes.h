// The numbers of STUN's attributes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::stun {

// RFC 8489 section 18.3 and RFC 8445 section 20.1, and three of libwebrtc.
enum class AttributeType : std::uint16_t {
  mapped_address = 0x0001,
  username = 0x0006,
  message_integrity = 0x0008,
  error_code = 0x0009,
  unknown_attributes = 0x000a,
  realm = 0x0014,
  nonce = 0x0015,
  message_integrity_sha256 = 0x001c,
  xor_mapped_address = 0x0020,
  priority = 0x0024,
  use_candidate = 0x0025,
  software = 0x8022,
  fingerprint = 0x8028,
  ice_controlled = 0x8029,
  ice_controlling = 0x802a,
  nomination = 0xc001,    // 32 bits: the highest value nominates (draft-thatcher-ice-renomination)
  dtls_in_stun = 0xc070,  // META-DTLS-IN-STUN: one DTLS datagram
  dtls_in_stun_ack = 0xc071,  // META-DTLS-IN-STUN-ACK: CRC-32 of DTLS datagrams that arrived
};

// Below 0x8000. An agent that does not know such an attribute refuses the request with error 420
// (RFC 8489 section 14).
constexpr bool is_comprehension_required(AttributeType type) {
  return static_cast<std::uint16_t>(type) < 0x8000;
}

// Types of attributes for UNKNOWN-ATTRIBUTES (RFC 8489 section 14.9), each once, in the order in
// which they came. At most kMaxTypes: further ones are left out, and the peer hears of them when it
// has removed the first.
class UnknownAttributes {
 public:
  static constexpr std::size_t kMaxTypes = 8;

  [[nodiscard]] std::span<const AttributeType> types() const { return {types_.data(), count_}; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  void add(AttributeType type) {
    const auto known = types();
    if (count_ == kMaxTypes || std::ranges::find(known, type) != known.end()) return;
    types_[count_++] = type;
  }

  friend bool operator==(const UnknownAttributes& a, const UnknownAttributes& b) {
    return std::ranges::equal(a.types(), b.types());
  }

 private:
  std::array<AttributeType, kMaxTypes> types_{};
  std::uint8_t count_ = 0;
};

}  // namespace sluice::stun
