// SRTP and SRTCP with the keys of one DTLS association.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/srtp_keys.h>
#include <sluice/srtp/library.h>
#include <sluice/srtp/state.h>

namespace sluice::srtp {

using dtls::Bytes;
using dtls::MutableBytes;

// The longest master key identifier (MKI) that libsrtp takes, in bytes.
inline constexpr std::size_t kMaxMki = 128;
// The largest growth of a packet by protect_rtp() or protect_rtcp(), in bytes: a GCM tag of 16 (RFC
// 7714 section 13), the MKI, and 4 of either the SRTCP index (RFC 3711 section 3.4) or the empty
// header extension that cryptex adds to RTP with CSRCs alone (RFC 9335 section 5.1). Without an
// MKI, as in WebRTC (RFC 8827 section 6.5), 20.
inline constexpr std::size_t kMaxTrailer = 16 + 4 + kMaxMki;

enum class Direction : std::uint8_t { inbound, outbound };

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

// Tells RTP from RTCP on one port: RTCP packet types are 192 to 223 (RFC 5761 section 4). False for
// a packet shorter than two bytes.
constexpr bool is_rtcp(Bytes packet) {
  return packet.size() >= 2 && packet[1] >= std::byte{192} && packet[1] <= std::byte{223};
}

// Encryption of the header extensions and CSRCs of RTP packets (RFC 9335), "cryptex". The fixed
// header stays in clear: version, payload type, sequence number, timestamp and SSRC. SDP agrees on
// it by a=cryptex, which says that a side can receive such packets.
enum class Cryptex : std::uint8_t {
  off,       // neither: this side has not said a=cryptex
  receive,   // decrypts packets that come so, and takes others: the peer has not said a=cryptex
  on,        // both have: also encrypts what is sent
  required,  // as `on`, and refuses packets with header extensions or CSRCs in clear
};

std::string_view to_string(Cryptex mode);

// What is left of `wanted` with a peer whose SDP says a=cryptex, or does not: without, packets are
// sent in clear. Where cryptex is required, that peer must be refused.
constexpr Cryptex agree_on_cryptex(Cryptex wanted, bool peer_says_it) {
  return wanted == Cryptex::off || peer_says_it ? wanted : Cryptex::receive;
}

struct SessionOptions {
  // How far a packet may lag behind the newest packet of its SSRC, in packets: 64 to 32767 (RFC
  // 3711 section 3.3.2). For SRTCP libsrtp uses 128.
  std::size_t replay_window = 1024;
  // SSRCs per direction that are known at a time, RTCP senders included: 1 to 65535. Each takes
  // about 0.7 kB. When there are more, the one that was used the longest time ago makes room.
  std::size_t max_ssrcs = 4096;
  // How far an RTP packet that was sent may lag behind the newest one of its SSRC and be sent
  // again, in packets: 0 (never) to 32767; above replay_window no more than that. Each takes eight
  // bytes of every outbound SSRC.
  std::size_t repeat_window = 512;
  // All but `off` need a libsrtp that has_cryptex(). With it, outbound packets with CSRCs and
  // without header extension get an empty one, which takes 4 bytes of the room for the trailer.
  Cryptex cryptex = Cryptex::off;
};

// Whether all fields are in range.
bool valid(const SessionOptions& options);

// Whether libsrtp can make sessions of this profile: a build without AES-GCM can't. Tried once per
// process and profile; thread-safe. Errors: unsupported_profile, library_init_failed,
// out_of_memory.
tl::expected<void, SetupError> supported(dtls::SrtpProfile profile);

struct Statistics {
  struct Counters {
    std::uint64_t rtp = 0;  // packets accepted
    std::uint64_t rtcp = 0;
    std::array<std::uint64_t, kPacketErrors> failures = {};
    std::uint64_t ssrcs_displaced = 0;  // that made room: SessionOptions::max_ssrcs was reached

    [[nodiscard]] std::uint64_t count(PacketError error) const {
      return failures[static_cast<std::size_t>(error)];
    }
  };
  Counters inbound;
  Counters outbound;
};

// What one SSRC of a direction has sent or received since it came, or came again after it had been
// removed or displaced: packets that were accepted, and the bytes of the RTP packets without what
// SRTP adds.
struct SsrcStatistics {
  std::uint32_t ssrc = 0;
  std::uint64_t rtp = 0;
  std::uint64_t rtcp = 0;
  std::uint64_t rtp_bytes = 0;

  friend bool operator==(const SsrcStatistics&, const SsrcStatistics&) = default;
};

// One key per direction, for any SSRC. Move-only; used by one thread at a time. Packets are
// processed in place. Memory is allocated only for a new SSRC, and when a packet that is larger
// than any such before is sent again. Looking an SSRC up takes constant time.
//
// Only an authenticated packet adds an inbound SSRC. Above max_ssrcs the SSRC that was used the
// longest time ago makes room, as by remove_ssrc(), and is counted in ssrcs_displaced. The session
// keeps what it must know of SSRCs that are gone, at most kMaxRetired per direction: then packets
// of new SSRCs are refused as too_many_ssrcs, and known ones continue to work, until other keys
// come (MediaTransport::restart()).
class Session {
 public:
  // Takes the keys: they are wiped where they were, also on failure, and at the end of the session.
  static tl::expected<Session, SetupError> make(dtls::SrtpKeys&& keys, SessionOptions options = {});

  // Ends this session and returns what restore() continues it from, with the same keys. From then
  // on it must not be used. The time grows with the number of SSRCs, and inbound with the gaps in
  // the last replay_window packets of each.
  SrtpState export_state() &&;
  // Continues with the indices and replay windows of the state: no index is used twice, and no
  // packet is accepted twice. Packets that were sent before cannot be sent again. Statistics begin
  // at 0; ssrcs() has inbound SSRCs again from their next packet on. The time grows with the number
  // of outbound SSRCs, each of which takes up to 128 SRTCP packets that nobody sees. A host's event
  // handler of libsrtp may see event_ssrc_collision for each of them, of no meaning.
  // Errors: as make(), foreign_state, state_too_large.
  static tl::expected<Session, SetupError> restore(dtls::SrtpKeys&& keys, SrtpState state,
                                                   SessionOptions options = {});

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
  // after other errors the packet is unchanged. With cryptex "payload" is all that is encrypted,
  // and a packet that is returned is as RFC 8285 has it, header extension and CSRCs in clear.
  PacketResult unprotect_rtp(MutableBytes packet);
  PacketResult unprotect_rtcp(MutableBytes packet);

  // For the packets from now on, as offers and answers may change it (RFC 9335 section 4). Errors:
  // unsupported_cryptex.
  tl::expected<void, SetupError> set_cryptex(Cryptex mode);
  [[nodiscard]] Cryptex cryptex() const;

  // Removes an SSRC with its streams in libsrtp. Inbound, the highest indices are kept: if the SSRC
  // comes again, its packets are accepted from there on (RFC 3711 section 3.3.2). Outbound, libsrtp
  // would begin again and repeat nonces (RFC 3711 section 9.1): the SSRC is refused from then on.
  // Returns false if the SSRC is unknown, or if kMaxRetired SSRCs of this direction are gone
  // already.
  bool remove_ssrc(Direction direction, std::uint32_t ssrc);
  // Each takes about 50 bytes.
  static constexpr std::size_t kMaxRetired = 65536;
  // The roll-over counter of the newest RTP packet of an SSRC (RFC 3711 section 3.3.1). Empty:
  // there was none. A new inbound SSRC is taken to begin with 0, or, where its sequence number is
  // below 32768 and the packet does not authenticate so, with 1: the packets before the roll-over
  // may have been lost.
  [[nodiscard]] std::optional<std::uint32_t> roll_over_counter(Direction direction,
                                                               std::uint32_t ssrc) const;
  // The counter with which the RTP of an inbound SSRC will begin, where its sender has used the key
  // before this session had it. It moves with the session. False: the session has had RTP of it, or
  // is told of more than max_ssrcs.
  bool expect_roll_over_counter(std::uint32_t ssrc, std::uint32_t counter);
  // In order of their first packet.
  [[nodiscard]] std::vector<std::uint32_t> ssrcs(Direction direction) const;
  // Their counts, in the same order. The time grows with the number of SSRCs: for a dashboard, not
  // for each packet.
  [[nodiscard]] std::vector<SsrcStatistics> ssrc_statistics(Direction direction) const;

  [[nodiscard]] dtls::SrtpProfile profile() const;
  [[nodiscard]] const Statistics& statistics() const;

 private:
  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::srtp
