// What becomes of a packet: its new size, or why it was refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

namespace sluice::srtp {

// Why a packet was refused. No refusal ends the session.
enum class PacketError : std::uint8_t {
  authentication_failed,  // forged, damaged, or protected with other keys
  replayed,               // seen before, or older than the window; outbound: sent before, and older
                          // than SessionOptions::repeat_window
  malformed,              // not RTP or RTCP of version 2, truncated, or unencrypted
  no_key,                 // no session: before Connected, or no profile negotiated
  too_many_ssrcs,         // a new SSRC, and none can make room: see Session
  ssrc_retired,           // outbound: an SSRC that was removed or has made room
  buffer_too_small,       // no room for the trailer after the packet
  key_exhausted,          // 2^48 SRTP or 2^31 SRTCP packets per key (RFC 3711 section 9.2)
  internal,               // libsrtp or its cipher failed, such as without memory
  index_reused,           // outbound: another packet was sent under this index
  header_in_clear,        // inbound: a header extension or CSRCs in clear, against
                          // Cryptex::required; outbound: with cryptex, an extension of another
                          // form than RFC 8285's, or one with appbits, which must not be encrypted
};
inline constexpr std::size_t kPacketErrors = 11;

std::string_view to_string(PacketError error);

// The new size of the packet, in bytes.
using PacketResult = tl::expected<std::size_t, PacketError>;

// A PacketResult on its way out of a session, in one register: an expected goes through memory in
// each function that returns it.
class Outcome {
 public:
  Outcome(std::size_t size)  // NOLINT(google-explicit-constructor)
      : value_(static_cast<std::int64_t>(size)) {}
  Outcome(PacketError error)  // NOLINT(google-explicit-constructor)
      : value_(-1 - static_cast<std::int64_t>(error)) {}

  explicit operator bool() const { return value_ >= 0; }
  [[nodiscard]] std::size_t operator*() const { return static_cast<std::size_t>(value_); }
  [[nodiscard]] PacketError error() const { return static_cast<PacketError>(-1 - value_); }
  [[nodiscard]] PacketResult result() const {
    if (value_ < 0) return tl::unexpected(error());
    return **this;
  }

 private:
  std::int64_t value_;  // the size, or -1 less the error
};

}  // namespace sluice::srtp
