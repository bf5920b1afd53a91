#include <sluice/stun/writer.h>

#include <algorithm>

#include <sluice/stun/crc32.h>

#include "layout.h"
#include "message_mac.h"

namespace sluice::stun {
namespace {

using dtls::Errc;

constexpr std::size_t kMaxUsername = 508;         // RFC 8489 section 14.3
constexpr std::size_t kMaxSentText = 509;         // sections 14.8 and 14.14
constexpr std::size_t kMaxMessageLength = 65532;  // 16 bits, a multiple of four

// Section 5, figure 3: the two bits of the class stand among the twelve of the method.
unsigned message_type(MessageClass message_class, Method method) {
  const auto bits = static_cast<unsigned>(method);
  const auto class_bits = static_cast<unsigned>(message_class);
  return (bits & 0xf) | (bits & 0x70) << 1 | (bits & 0xf80) << 2 | (class_bits & 1) << 4 |
         (class_bits & 2) << 7;
}

}  // namespace

Writer::Writer(dtls::MutableBytes out, MessageClass message_class, Method method,
               const TransactionId& transaction)
    : out_(out) {
  if (out_.size() < kHeaderSize) {
    fail(Errc::buffer_too_small, "header");
    return;
  }
  if (static_cast<unsigned>(method) > 0xfff) {
    fail(Errc::invalid_argument, "method");
    return;
  }
  store(out_, 0, message_type(message_class, method), 2);
  store(out_, kCookieAt, kMagicCookie, 4);
  std::ranges::copy(transaction, out_.subspan(kTransactionAt).begin());
  size_ = kHeaderSize;
}

void Writer::fail(Errc code, const char* detail) {
  if (has_failed_) return;
  has_failed_ = true;
  error_ = code;
  detail_ = detail;
}

dtls::MutableBytes Writer::add(AttributeType type, std::size_t size) {
  if (has_failed_) return {};
  // The first comparison keeps the sum from overflowing.
  const std::size_t whole = size > kMaxMessageLength ? size : kAttributeHeaderSize + padded(size);
  if (whole > out_.size() - size_ || size_ - kHeaderSize + whole > kMaxMessageLength) {
    fail(Errc::buffer_too_small, "attribute");
    return {};
  }
  store(out_, size_, static_cast<std::uint16_t>(type), 2);
  store(out_, size_ + 2, size, 2);
  const dtls::MutableBytes value = out_.subspan(size_ + kAttributeHeaderSize, size);
  size_ += whole;
  std::fill(value.data() + size, out_.data() + size_, std::byte{0});
  return value;
}

void Writer::number(AttributeType type, std::uint64_t value, std::size_t size) {
  const auto place = add(type, size);
  if (!place.empty()) store(place, 0, value, size);
}

void Writer::address(AttributeType type, const dtls::UdpEndpoint& endpoint, dtls::Bytes mask) {
  std::visit(
      [&](const auto& address) {
        const auto value = add(type, kAddressAt + address.size());
        if (value.empty()) return;
        const bool is_ipv4 = address.size() == sizeof(dtls::Ipv4Address);
        store(value, 0, is_ipv4 ? kIpv4Family : kIpv6Family, 2);
        store(value, 2, endpoint.port ^ load<std::uint16_t>(mask), 2);
        for (std::size_t i = 0; i < address.size(); ++i) {
          value[kAddressAt + i] = std::byte{address[i]} ^ mask[i];
        }
      },
      endpoint.address);
}

void Writer::text(AttributeType type, std::string_view value, std::size_t max, const char* name) {
  if (value.size() > max) return fail(Errc::invalid_argument, name);
  bytes(type, std::as_bytes(std::span(value)));
}

void Writer::bytes(AttributeType type, dtls::Bytes value) {
  const auto place = add(type, value.size());
  if (!place.empty()) std::ranges::copy(value, place.begin());
}

void Writer::xor_mapped_address(const dtls::UdpEndpoint& endpoint) {
  if (has_failed_) return;  // there may be no header
  address(AttributeType::xor_mapped_address, endpoint, out_.subspan(kCookieAt, kMaskSize));
}

void Writer::mapped_address(const dtls::UdpEndpoint& endpoint) {
  address(AttributeType::mapped_address, endpoint, kNoMask);
}

void Writer::username(std::string_view username) {
  text(AttributeType::username, username, kMaxUsername, "username");
}

void Writer::priority(std::uint32_t priority) { number(AttributeType::priority, priority, 4); }

void Writer::use_candidate() { add(AttributeType::use_candidate, 0); }

void Writer::ice_controlling(std::uint64_t tie_breaker) {
  number(AttributeType::ice_controlling, tie_breaker, 8);
}

void Writer::ice_controlled(std::uint64_t tie_breaker) {
  number(AttributeType::ice_controlled, tie_breaker, 8);
}

void Writer::nomination(std::uint32_t value) { number(AttributeType::nomination, value, 4); }

void Writer::error_code(std::uint16_t code, std::string_view reason) {
  if (code < kMinErrorCode || code > kMaxErrorCode) {
    return fail(Errc::invalid_argument, "error_code");
  }
  if (reason.size() > kMaxSentText) return fail(Errc::invalid_argument, "error_code: reason");
  const auto value = add(AttributeType::error_code, kReasonAt + reason.size());
  if (value.empty()) return;
  store(value, 0, 0, kErrorClassAt);
  store(value, kErrorClassAt, code / 100U, 1);
  store(value, kErrorClassAt + 1, code % 100U, 1);
  std::ranges::copy(std::as_bytes(std::span(reason)), value.begin() + kReasonAt);
}

void Writer::unknown_attributes(const UnknownAttributes& unknown) {
  const auto types = unknown.types();
  const auto value = add(AttributeType::unknown_attributes, 2 * types.size());
  if (value.empty()) return;
  for (std::size_t i = 0; i < types.size(); ++i) {
    store(value, 2 * i, static_cast<std::uint16_t>(types[i]), 2);
  }
}

void Writer::software(std::string_view text) {
  this->text(AttributeType::software, text, kMaxSentText, "software");
}

void Writer::dtls_in_stun(dtls::Bytes datagram) { bytes(AttributeType::dtls_in_stun, datagram); }

void Writer::dtls_in_stun_ack(std::span<const std::uint32_t> hashes) {
  const auto value = add(AttributeType::dtls_in_stun_ack, hashes.size_bytes());
  if (value.empty()) return;
  for (std::size_t i = 0; i < hashes.size(); ++i) store(value, 4 * i, hashes[i], 4);
}

dtls::Result<std::size_t> Writer::finish(dtls::Environment& environment, const IntegrityKey& key) {
  const std::size_t at = size_;
  const auto value = add(AttributeType::message_integrity, kIntegritySize - kAttributeHeaderSize);
  if (!value.empty()) {
    const auto mac = message_mac(environment, key.bytes(), out_.first(at));
    if (!mac) return dtls::forward_error(mac);
    std::ranges::copy(mac->bytes(), value.begin());
  }
  return finish();
}

// RFC 8489 section 14.7: the CRC-32 is of the message with its final length.
dtls::Result<std::size_t> Writer::finish() {
  const std::size_t at = size_;
  const auto value = add(AttributeType::fingerprint, kFingerprintSize - kAttributeHeaderSize);
  if (value.empty()) return tl::unexpected(dtls::Error{error_, {}, 0, detail_});
  store(out_, kLengthAt, size_ - kHeaderSize, 2);
  store(value, 0, crc32(out_.first(at)) ^ kFingerprintMask, 4);
  return size_;
}

}  // namespace sluice::stun
