#include "cryptex.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <sluice/srtp/library.h>

namespace sluice::srtp {
namespace {

// RFC 8285 sections 4.2 and 4.3, and their encrypted versions (RFC 9335 section 5).
constexpr std::uint16_t kOneByte = 0xbede;
constexpr std::uint16_t kTwoByte = 0x1000;
constexpr std::uint16_t kEncryptedOneByte = 0xc0de;
constexpr std::uint16_t kEncryptedTwoByte = 0xc2de;

constexpr std::array<std::byte, kEmptyExtension> kOneByteWithoutElements = {
    std::byte{0xbe}, std::byte{0xde}, std::byte{0}, std::byte{0}};

constexpr std::byte kExtensionBit{0x10};

bool has_extension(Bytes packet) { return (packet[0] & kExtensionBit) != std::byte{0}; }

// With the CSRCs.
std::size_t fixed_size(Bytes packet) {
  return kRtpHeader + 4 * std::to_integer<std::size_t>(packet[0] & std::byte{0x0f});
}

// The "defined by profile" field of a packet with an extension.
std::uint16_t profile_field(Bytes packet) {
  const auto at = fixed_size(packet);
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(packet[at]) << 8 |
                                    std::to_integer<unsigned>(packet[at + 1]));
}

}  // namespace

#if SLUICE_LIBSRTP_CRYPTEX

bool has_cryptex() { return true; }

bool set_cryptex(srtp_t context, const srtp_ssrc_t& ssrc, bool is_used) {
  return srtp_set_stream_use_cryptex(context, &ssrc, is_used ? 1 : 0) == srtp_err_status_ok;
}

#else

bool has_cryptex() { return false; }

bool set_cryptex(srtp_t /*context*/, const srtp_ssrc_t& /*ssrc*/, bool is_used) { return !is_used; }

#endif

bool is_encryptable(Bytes packet) {
  if (!has_extension(packet)) return true;
  const auto profile = profile_field(packet);
  return profile == kOneByte || profile == kTwoByte;
}

bool lacks_extension(Bytes packet) {
  return !has_extension(packet) && fixed_size(packet) > kRtpHeader;
}

bool is_header_clear(Bytes packet) {
  if (!has_extension(packet)) return fixed_size(packet) > kRtpHeader;
  const auto profile = profile_field(packet);
  return profile != kEncryptedOneByte && profile != kEncryptedTwoByte;
}

void add_empty_extension(MutableBytes buffer, std::size_t size) {
  const auto payload = buffer.begin() + static_cast<std::ptrdiff_t>(fixed_size(buffer));
  const auto end = buffer.begin() + static_cast<std::ptrdiff_t>(size);
  std::move_backward(payload, end, end + kEmptyExtension);
  std::ranges::copy(kOneByteWithoutElements, payload);
  buffer[0] |= kExtensionBit;
}

void remove_empty_extension(MutableBytes buffer, std::size_t size) {
  const auto extension = buffer.begin() + static_cast<std::ptrdiff_t>(fixed_size(buffer));
  const auto end = buffer.begin() + static_cast<std::ptrdiff_t>(size);
  std::move(extension + kEmptyExtension, end + kEmptyExtension, extension);
  buffer[0] &= ~kExtensionBit;
}

}  // namespace sluice::srtp
