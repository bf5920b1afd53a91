#include <algorithm>

#include <sluice/stun/crc32.h>
#include <sluice/stun/message.h>

#include "layout.h"

namespace sluice::stun {
namespace {

using dtls::Bytes;
using Failure = std::optional<DecodeError>;

// RFC 8489 sections 14.3, 14.8 and 14.14.
constexpr std::size_t kMaxReadText = 763;

Failure take_text(std::optional<Bytes>& field, Bytes value) {
  if (field) return {};
  if (value.size() > kMaxReadText) return DecodeError::wrong_attribute_size;
  field = value;
  return {};
}

template <class Number>
Failure take_number(std::optional<Number>& field, Bytes value) {
  if (field) return {};
  if (value.size() != sizeof(Number)) return DecodeError::wrong_attribute_size;
  field = load<Number>(value);
  return {};
}

template <class Address>
Address unmask(Bytes address, Bytes mask) {
  Address result{};
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = std::to_integer<std::uint8_t>(address[i] ^ mask[i]);
  }
  return result;
}

// RFC 8489 sections 14.1 and 14.2. `mask` has kMaskSize bytes.
Failure take_address(std::optional<dtls::UdpEndpoint>& field, Bytes value, Bytes mask) {
  if (field) return {};
  if (value.size() < kAddressAt) return DecodeError::wrong_attribute_size;
  const auto family = std::to_integer<std::uint8_t>(value[1]);
  if (family != kIpv4Family && family != kIpv6Family) return DecodeError::unknown_family;
  const bool is_ipv4 = family == kIpv4Family;
  const Bytes address = value.subspan(kAddressAt);
  if (address.size() != (is_ipv4 ? sizeof(dtls::Ipv4Address) : sizeof(dtls::Ipv6Address))) {
    return DecodeError::wrong_attribute_size;
  }
  dtls::UdpEndpoint endpoint;
  endpoint.port =
      static_cast<std::uint16_t>(load<std::uint16_t>(value, 2) ^ load<std::uint16_t>(mask));
  if (is_ipv4) {
    endpoint.address = unmask<dtls::Ipv4Address>(address, mask);
  } else {
    endpoint.address = unmask<dtls::Ipv6Address>(address, mask);
  }
  field = endpoint;
  return {};
}

// RFC 8489 section 14.8: the reserved bits are ignored.
Failure take_error_code(Message& message, Bytes value) {
  if (message.error_code) return {};
  if (value.size() < kReasonAt || value.size() > kReasonAt + kMaxReadText) {
    return DecodeError::wrong_attribute_size;
  }
  const unsigned hundreds = std::to_integer<unsigned>(value[kErrorClassAt]) & 7;
  const auto number = std::to_integer<unsigned>(value[kErrorClassAt + 1]);
  const unsigned code = hundreds * 100 + number;
  if (number > 99 || code < kMinErrorCode || code > kMaxErrorCode) {
    return DecodeError::wrong_error_code;
  }
  message.error_code = static_cast<std::uint16_t>(code);
  message.error_reason = value.subspan(kReasonAt);
  return {};
}

// RFC 8489 section 14.9.
Failure take_unknown_attributes(std::optional<UnknownAttributes>& field, Bytes value) {
  if (field) return {};
  if (value.size() % 2 != 0) return DecodeError::wrong_attribute_size;
  field.emplace();
  const std::size_t size = std::min(value.size(), 2 * UnknownAttributes::kMaxTypes);
  for (std::size_t at = 0; at < size; at += 2) {
    field->add(static_cast<AttributeType>(load<std::uint16_t>(value, at)));
  }
  return {};
}

Failure take_flag(bool& field, Bytes value) {
  if (field) return {};
  if (!value.empty()) return DecodeError::wrong_attribute_size;
  field = true;
  return {};
}

Failure take_dtls_in_stun_ack(std::optional<Bytes>& field, Bytes value) {
  if (field) return {};
  if (value.size() % sizeof(std::uint32_t) != 0) return DecodeError::wrong_attribute_size;
  field = value;
  return {};
}

// An attribute before MESSAGE-INTEGRITY, or that one itself; it starts at `at`.
Failure take(Message& message, AttributeType type, Bytes value, std::size_t at) {
  switch (type) {
    case AttributeType::username:
      return take_text(message.username, value);
    case AttributeType::priority:
      return take_number(message.priority, value);
    case AttributeType::use_candidate:
      return take_flag(message.use_candidate, value);
    case AttributeType::ice_controlling:
      return take_number(message.ice_controlling, value);
    case AttributeType::ice_controlled:
      return take_number(message.ice_controlled, value);
    case AttributeType::nomination:
      return take_number(message.nomination, value);
    case AttributeType::xor_mapped_address:
      return take_address(message.xor_mapped_address, value,
                          message.bytes.subspan(kCookieAt, kMaskSize));
    case AttributeType::mapped_address:
      return take_address(message.mapped_address, value, kNoMask);
    case AttributeType::error_code:
      return take_error_code(message, value);
    case AttributeType::unknown_attributes:
      return take_unknown_attributes(message.unknown_to_peer, value);
    case AttributeType::software:
      return take_text(message.software, value);
    case AttributeType::dtls_in_stun:
      if (!message.dtls_in_stun) message.dtls_in_stun = value;
      return {};
    case AttributeType::dtls_in_stun_ack:
      return take_dtls_in_stun_ack(message.dtls_in_stun_ack, value);
    case AttributeType::message_integrity:
      if (value.size() != kIntegritySize - kAttributeHeaderSize) {
        return DecodeError::wrong_attribute_size;
      }
      message.integrity_at = at;
      return {};
    case AttributeType::realm:
    case AttributeType::nonce:
      return {};
    default:
      if (is_comprehension_required(type)) message.unknown.add(type);
      return {};
  }
}

// RFC 8489 section 14.7; it starts at `at`.
Failure check_fingerprint(Message& message, Bytes value, std::size_t at) {
  if (value.size() != kFingerprintSize - kAttributeHeaderSize) {
    return DecodeError::wrong_attribute_size;
  }
  if (at + kFingerprintSize != message.bytes.size()) return DecodeError::fingerprint_not_last;
  const std::uint32_t expected = crc32(message.bytes.first(at)) ^ kFingerprintMask;
  if (load<std::uint32_t>(value) != expected) return DecodeError::wrong_fingerprint;
  message.has_fingerprint = true;
  return {};
}

Failure take_attributes(Message& message) {
  for (std::size_t at = kHeaderSize; at < message.bytes.size();) {
    // The size of a message is a multiple of four, so that a header always fits.
    const auto type = static_cast<AttributeType>(load<std::uint16_t>(message.bytes, at));
    const std::size_t size = load<std::uint16_t>(message.bytes, at + 2);
    const Bytes rest = message.bytes.subspan(at + kAttributeHeaderSize);
    if (padded(size) > rest.size()) return DecodeError::attribute_too_long;
    Failure failure;
    if (type == AttributeType::fingerprint) {
      failure = check_fingerprint(message, rest.first(size), at);
    } else if (!message.integrity_at) {
      failure = take(message, type, rest.first(size), at);
    }
    if (failure) return failure;
    at += kAttributeHeaderSize + padded(size);
  }
  return {};
}

// RFC 8489 sections 5 and 6.3.
Failure take_header(Message& message, Bytes datagram) {
  if (datagram.size() < kHeaderSize) return DecodeError::too_short;
  const unsigned type = load<std::uint16_t>(datagram);
  if (type > 0x3fff) return DecodeError::not_stun;
  if (load<std::uint32_t>(datagram, kCookieAt) != kMagicCookie) {
    return DecodeError::wrong_magic_cookie;
  }
  const std::size_t length = load<std::uint16_t>(datagram, kLengthAt);
  if (length % 4 != 0 || length != datagram.size() - kHeaderSize) {
    return DecodeError::wrong_length;
  }
  message.bytes = datagram;
  message.message_class = static_cast<MessageClass>((type >> 7 & 2) | (type >> 4 & 1));
  message.method = static_cast<Method>((type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
  std::ranges::copy(datagram.subspan(kTransactionAt, message.transaction.size()),
                    message.transaction.begin());
  return {};
}

}  // namespace

tl::expected<Message, DecodeError> decode(Bytes datagram) {
  tl::expected<Message, DecodeError> message;
  Failure failure = take_header(*message, datagram);
  if (!failure) failure = take_attributes(*message);
  if (failure) message = tl::unexpected(*failure);
  return message;
}

}  // namespace sluice::stun
