// STUN messages (RFC 8489) with the attributes of ICE (RFC 8445): decoding.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tl/expected.hpp>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/udp_endpoint.h>
#include <sluice/stun/attributes.h>
#include <sluice/stun/decode_error.h>

namespace sluice::stun {

// The values are the two class bits of the message type (RFC 8489 section 5).
enum class MessageClass : std::uint8_t {
  request = 0,
  indication = 1,
  success_response = 2,
  error_response = 3,
};

// 12 bits; others than binding are decoded too.
enum class Method : std::uint16_t { binding = 0x001 };

using TransactionId = std::array<std::byte, 12>;

inline constexpr std::size_t kHeaderSize = 20;
inline constexpr std::size_t kAttributeHeaderSize = 4;  // type and length
// What Writer::finish() adds: MESSAGE-INTEGRITY and FINGERPRINT.
inline constexpr std::size_t kIntegritySize = kAttributeHeaderSize + 20;
inline constexpr std::size_t kFingerprintSize = kAttributeHeaderSize + 4;

// A decoded message. Its spans show the datagram, and are valid as long as that is.
//
// Only the first attribute of a type counts (RFC 8489 section 14). Attributes after
// MESSAGE-INTEGRITY are ignored, except for FINGERPRINT (section 14.5): an attacker can add them.
// REALM and NONCE are known and ignored. MESSAGE-INTEGRITY-SHA256 is not supported, which ICE does
// not use: it is ignored after MESSAGE-INTEGRITY and an unknown attribute before it.
//
// Nothing here is authentic before verify_integrity() is true.
struct Message {
  dtls::Bytes bytes;  // the whole message
  MessageClass message_class{};
  Method method{};
  TransactionId transaction{};

  // USERNAME, at most 763 bytes; in a check "<ufrag of its receiver>:<ufrag of its sender>"
  // (RFC 8445 section 7.2.2).
  std::optional<dtls::Bytes> username;
  std::optional<std::uint32_t> priority;
  bool use_candidate = false;
  std::optional<std::uint64_t> ice_controlling;
  std::optional<std::uint64_t> ice_controlled;
  std::optional<std::uint32_t> nomination;  // AttributeType::nomination

  std::optional<dtls::UdpEndpoint> xor_mapped_address;
  std::optional<dtls::UdpEndpoint> mapped_address;
  std::optional<std::uint16_t> error_code;  // 300 to 699
  // The reason phrase of ERROR-CODE, at most 763 bytes from the peer: not for a terminal as it is.
  dtls::Bytes error_reason;
  // UNKNOWN-ATTRIBUTES of an error response 420: what the peer did not know.
  std::optional<UnknownAttributes> unknown_to_peer;
  std::optional<dtls::Bytes> software;  // at most 763 bytes

  // DTLS in STUN: a DTLS datagram, which may be empty, and CRC-32 values (crc32.h) of four bytes
  // each, in network byte order, as many as the sender likes.
  std::optional<dtls::Bytes> dtls_in_stun;
  std::optional<dtls::Bytes> dtls_in_stun_ack;

  std::optional<std::size_t> integrity_at;  // where MESSAGE-INTEGRITY starts in `bytes`
  bool has_fingerprint = false;             // FINGERPRINT is there; decode() has checked it
  // Comprehension-required attributes that are not known. Answer a request that has any with error
  // 420 (RFC 8489 section 6.3.1); discard a response (section 6.3.3).
  UnknownAttributes unknown;
};

// Decodes a whole datagram, of any size. Allocates nothing; takes time linear in its size. The
// values of padding bytes are ignored (RFC 8489 section 14). Whether the attributes that a request
// or response needs are there, the caller checks.
tl::expected<Message, DecodeError> decode(dtls::Bytes datagram);

}  // namespace sluice::stun
