// Writing STUN messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/environment.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/udp_endpoint.h>
#include <sluice/stun/integrity.h>
#include <sluice/stun/message.h>

namespace sluice::stun {

// Writes one message into the caller's buffer, attributes in the order of the calls, padding bytes
// zero. Allocates nothing, but for what libcrypto does in finish(). An attribute that does not fit
// or has a forbidden value is left out whole, finish() then returns the error of the first such
// call.
//
//   std::array<std::byte, 128> datagram;
//   Writer response(datagram, MessageClass::success_response, request.method, request.transaction);
//   response.xor_mapped_address(source);
//   const auto size = response.finish(environment, key);
class Writer {
 public:
  // `out` must stay valid while the Writer is used. A message needs at least kHeaderSize bytes,
  // kIntegritySize and kFingerprintSize for finish(), and for each attribute
  // kAttributeHeaderSize and its value, padded to a multiple of four. `method` has 12 bits.
  Writer(dtls::MutableBytes out, MessageClass message_class, Method method,
         const TransactionId& transaction);

  // XOR'd with the magic cookie and, if IPv6, with the transaction ID (RFC 8489 section 14.2).
  void xor_mapped_address(const dtls::UdpEndpoint& endpoint);
  void mapped_address(const dtls::UdpEndpoint& endpoint);
  void username(std::string_view username);  // fewer than 509 bytes (RFC 8489 section 14.3)
  void priority(std::uint32_t priority);
  void use_candidate();
  void ice_controlling(std::uint64_t tie_breaker);
  void ice_controlled(std::uint64_t tie_breaker);
  void nomination(std::uint32_t value);
  // 300 to 699; a reason phrase of at most 509 bytes (RFC 8489 section 14.8).
  void error_code(std::uint16_t code, std::string_view reason);
  void unknown_attributes(const UnknownAttributes& unknown);
  void software(std::string_view text);  // at most 509 bytes (RFC 8489 section 14.14)
  void dtls_in_stun(dtls::Bytes datagram);
  void dtls_in_stun_ack(std::span<const std::uint32_t> hashes);  // crc32() of each datagram

  // The size so far, header included.
  [[nodiscard]] std::size_t size() const { return size_; }

  // Adds MESSAGE-INTEGRITY and FINGERPRINT; the size of the message, which is the beginning of
  // `out`. The Writer is used up by either finish().
  // Errors: buffer_too_small, or the message would exceed the 65,532 bytes that its length can say;
  // invalid_argument for a forbidden value, Error::detail names it; libcrypto_failure.
  dtls::Result<std::size_t> finish(dtls::Environment& environment, const IntegrityKey& key);
  // Adds FINGERPRINT only: an error response to a request whose sender is not authentic has no
  // MESSAGE-INTEGRITY (RFC 8489 section 9.1.3), a Binding indication that keeps a path alive needs
  // none (RFC 8445 section 11).
  dtls::Result<std::size_t> finish();

 private:
  // Writes an attribute's header and padding; the place of its value, empty if it does not fit.
  dtls::MutableBytes add(AttributeType type, std::size_t size);
  void number(AttributeType type, std::uint64_t value, std::size_t size);
  void address(AttributeType type, const dtls::UdpEndpoint& endpoint, dtls::Bytes mask);
  void bytes(AttributeType type, dtls::Bytes value);
  void text(AttributeType type, std::string_view value, std::size_t max, const char* name);
  // Counts only if nothing has failed before. `detail` has static lifetime.
  void fail(dtls::Errc code, const char* detail);

  dtls::MutableBytes out_;
  std::size_t size_ = 0;
  bool has_failed_ = false;
  dtls::Errc error_{};
  const char* detail_ = "";
};

}  // namespace sluice::stun
