// SRTP and SRTCP with the keys of one DTLS association.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/srtp_keys.h>
#include <sluice/srtp/library.h>

namespace sluice::srtp {

using dtls::Bytes;
using dtls::MutableBytes;

// The longest master key identifier (MKI) that libsrtp takes, in bytes.
inline constexpr std::size_t kMaxMki = 128;
// The largest growth of a packet by protect_rtp() or protect_rtcp(), in bytes: a GCM tag of 16 (RFC
// 7714 section 13), the SRTCP index of 4 (RFC 3711 section 3.4), and the MKI. Without an MKI, as in
// WebRTC (RFC 8827 section 6.5), 20.
inline constexpr std::size_t kMaxTrailer = 16 + 4 + kMaxMki;

enum class Direction : std::uint8_t { inbound, outbound };

// Why a packet was refused. No refusal ends the session.
enum class PacketError : std::uint8_t {
  authentication_failed,  // forged, damaged, or protected with other keys
  replayed,               // seen before, or older than the window; outbound: a repeated index
  malformed,              // not RTP or RTCP of version 2, truncated, or unencrypted
  no_key,                 // no session: before Connected, or no profile negotiated
  too_many_ssrcs,         // a new SSRC above SessionOptions::max_ssrcs
  ssrc_retired,           // outbound: an SSRC that remove_ssrc() has removed
  buffer_too_small,       // no room for the trailer after the packet
  key_exhausted,          // 2^48 SRTP or 2^31 SRTCP packets per key (RFC 3711 section 9.2)
  internal,               // libsrtp or its cipher failed, such as without memory
};
inline constexpr std::size_t kPacketErrors = 9;

std::string_view to_string(PacketError error);

// The new size of the packet, in bytes.
using PacketResult = tl::expected<std::size_t, PacketError>;

// Tells RTP from RTCP on one port: RTCP packet types are 192 to 223 (RFC 5761 section 4). False for
// a packet shorter than two bytes.
constexpr bool is_rtcp(Bytes packet) {
  return packet.size() >= 2 && packet[1] >= std::byte{192} && packet[1] <= std::byte{223};
}

struct SessionOptions {
  // How far a packet may lag behind the newest packet of its SSRC, in packets: 64 to 32767 (RFC
  // 3711 section 3.3.2). For SRTCP libsrtp uses 128.
  std::size_t replay_window = 1024;
  // SSRCs per direction: 1 to 65535. Each takes about 0.5 kB in libsrtp, and lengthens every
  // look-up.
  std::size_t max_ssrcs = 64;
};

// Whether all fields are in range.
bool valid(const SessionOptions& options);

struct Statistics {
  struct Counters {
    std::uint64_t rtp = 0;  // packets accepted
    std::uint64_t rtcp = 0;
    std::array<std::uint64_t, kPacketErrors> failures = {};

    [[nodiscard]] std::uint64_t count(PacketError error) const {
      return failures[static_cast<std::size_t>(error)];
    }
  };
  Counters inbound;
  Counters outbound;
};

// Two libsrtp contexts, one per direction, for any SSRC. Move-only; used by one thread at a time.
// Packets are processed in place; memory is allocated only for a new SSRC.
//
// Only an authenticated packet adds an inbound SSRC. Above max_ssrcs, packets of new SSRCs are
// refused and known SSRCs continue to work. The caller makes room with remove_ssrc(), because only
// the caller knows which streams have ended (BYE, signalling); removing one automatically would
// lose its replay window.
class Session {
 public:
  // Copies the keys into libsrtp's contexts and wipes them, also on failure.
  static tl::expected<Session, SetupError> make(dtls::SrtpKeys&& keys, SessionOptions options = {});

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // Protects the first `size` bytes of `buffer`, up to 65535, in place. The buffer must have room
  // for the profile's trailer after them; kMaxTrailer is always enough. After an error other than
  // `internal` the packet is unchanged.
  PacketResult protect_rtp(MutableBytes buffer, std::size_t size);
  PacketResult protect_rtcp(MutableBytes buffer, std::size_t size);

  // Authenticates and decrypts `packet` in place and returns the size of the plaintext packet.
  // After authentication_failed the payload may be destroyed (GCM decrypts while it authenticates);
  // after other errors the packet is unchanged.
  PacketResult unprotect_rtp(MutableBytes packet);
  PacketResult unprotect_rtcp(MutableBytes packet);

  // Removes an SSRC with its index, roll-over counter and replay window. Inbound, recorded packets
  // of this SSRC would be accepted again: remove only streams that signalling has ended. Outbound,
  // the index would start again and repeat nonces (RFC 3711 section 9.1): the SSRC is refused from
  // then on. Returns false if the SSRC is unknown, or if kMaxRetired outbound SSRCs have been
  // removed already.
  bool remove_ssrc(Direction direction, std::uint32_t ssrc);
  static constexpr std::size_t kMaxRetired = 4096;
  // In order of their first packet; valid until the next call.
  [[nodiscard]] std::span<const std::uint32_t> ssrcs(Direction direction) const;

  [[nodiscard]] dtls::SrtpProfile profile() const;
  [[nodiscard]] const Statistics& statistics() const;

 private:
  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::srtp
