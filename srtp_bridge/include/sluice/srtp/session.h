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

// The longest master key identifier that libsrtp takes.
inline constexpr std::size_t kMaxMki = 128;
// What protecting adds at most: GCM's tag of 16 bytes (RFC 7714 section 13), SRTCP's word with the
// E bit and the index (RFC 3711 section 3.4), and the MKI; 20 without that, as in WebRTC (RFC 8827
// section 6.5).
inline constexpr std::size_t kMaxTrailer = 16 + 4 + kMaxMki;

enum class Direction : std::uint8_t { inbound, outbound };

// Why a packet did not pass. None ends the session.
enum class PacketError : std::uint8_t {
  authentication_failed,  // forged, damaged, or made with other keys
  replayed,               // seen before, older than the window; outbound: an index already used
  malformed,         // no RTP or RTCP packet of version 2, shorter than it says, or unencrypted
  no_key,            // there is no session: the handshake isn't done, or chose no profile
  too_many_ssrcs,    // a new SSRC above SessionOptions::max_ssrcs
  ssrc_retired,      // outbound, an SSRC that remove_ssrc() has forgotten
  buffer_too_small,  // no room for the trailer behind the packet
  key_exhausted,     // RFC 3711 section 9.2: 2^48 SRTP or 2^31 SRTCP packets under one key
  internal,          // libsrtp or its cipher failed, e.g. for want of memory
};
inline constexpr std::size_t kPacketErrors = 9;

std::string_view to_string(PacketError error);

// The packet's new size in bytes.
using PacketResult = tl::expected<std::size_t, PacketError>;

// RTP and RTCP on one port: RTCP packet types lie in 192 to 223 (RFC 5761 section 4). A packet
// shorter than two bytes is none.
constexpr bool is_rtcp(Bytes packet) {
  return packet.size() >= 2 && packet[1] >= std::byte{192} && packet[1] <= std::byte{223};
}

struct SessionOptions {
  // How far a packet may lag behind the newest of its SSRC, in packets: 64 to 32767 (RFC 3711
  // section 3.3.2). For RTCP libsrtp keeps 128.
  std::size_t replay_window = 1024;
  // SSRCs a direction: 1 to 65535. Each costs libsrtp memory (about 0.5 kB) and time in every
  // look-up.
  std::size_t max_ssrcs = 64;
};

// Whether all fields are in their ranges.
bool valid(const SessionOptions& options);

struct Statistics {
  struct Counters {
    std::uint64_t rtp = 0;  // packets that passed
    std::uint64_t rtcp = 0;
    std::array<std::uint64_t, kPacketErrors> failures = {};

    [[nodiscard]] std::uint64_t count(PacketError error) const {
      return failures[static_cast<std::size_t>(error)];
    }
  };
  Counters inbound;
  Counters outbound;
};

// Two libsrtp contexts, one a direction, each of which takes any SSRC. Move-only; used by one
// thread at a time. All packets are worked on in place and nothing is allocated but for a new SSRC.
//
// A forged packet never makes an SSRC known: inbound, only authenticated packets do. Above
// max_ssrcs packets of new SSRCs are refused, known ones go on; the user makes room with
// remove_ssrc(), since only he knows which are over (BYE, signalling): forgetting one by itself
// would forget its replay window too.
class Session {
 public:
  // The keys go into libsrtp's contexts and are wiped, also when this fails.
  static tl::expected<Session, SetupError> make(dtls::SrtpKeys&& keys, SessionOptions options = {});

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // Protects the `size` bytes at the front of `buffer`, which must have room behind them for the
  // profile's trailer: kMaxTrailer always suffices. An Error other than `internal` leaves the
  // packet as it was.
  PacketResult protect_rtp(MutableBytes buffer, std::size_t size);
  PacketResult protect_rtcp(MutableBytes buffer, std::size_t size);

  // Checks and decrypts `packet`; the plain packet stands at its front. With authentication_failed
  // its payload may be destroyed (GCM decrypts as it checks); with all other errors it is as it
  // was.
  PacketResult unprotect_rtp(MutableBytes packet);
  PacketResult unprotect_rtcp(MutableBytes packet);

  // Forgets one SSRC: its index, its roll-over counter, its replay window. Inbound, packets of it
  // that were recorded before would pass again, so remove only what signalling says is over.
  // Outbound, its index would start anew and repeat nonces (RFC 3711 section 9.1): that SSRC is
  // refused from then on. False when it isn't known, or when kMaxRetired outbound ones have been
  // removed already.
  bool remove_ssrc(Direction direction, std::uint32_t ssrc);
  static constexpr std::size_t kMaxRetired = 4096;
  // In order of appearance; valid until the next call.
  [[nodiscard]] std::span<const std::uint32_t> ssrcs(Direction direction) const;

  [[nodiscard]] dtls::SrtpProfile profile() const;
  [[nodiscard]] const Statistics& statistics() const;

 private:
  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::srtp
