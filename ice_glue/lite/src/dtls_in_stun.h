// DTLS in STUN, as libwebrtc has it (SPED): handshake datagrams ride in connectivity checks and
// their responses. The first saves a round trip, and a lost one comes again with the next check.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/path.h>

namespace sluice::ice_lite {

// The handshake's datagrams have this size, so that a response with one fits into a path MTU.
inline constexpr std::size_t kDtlsInStunMtu = 900;
// The largest message before MESSAGE-INTEGRITY, as in libwebrtc.
inline constexpr std::size_t kMaxDtlsInStunMessage = 1168;

// What one session, as long as its handshake goes on, has sent and received.
class DtlsInStun {
 public:
  struct Pending {
    std::uint32_t hash = 0;  // by which the peer acknowledges it
    dtls::Buffer datagram = {};
    dtls::PathId path{};
    bool is_unsent = true;     // outside of STUN
    std::uint8_t carried = 0;  // in responses so far
  };

  // `mtu`: for when the handshake is complete.
  explicit DtlsInStun(std::size_t mtu) : mtu_(mtu) {}

  // ---- received

  // A DTLS datagram has come, in a check or by itself.
  void on_received(dtls::Bytes datagram);
  // A check of the peer. False: it has neither attribute, so the peer does not use them, or no
  // longer.
  bool on_check(const std::optional<dtls::Bytes>& datagram,
                const std::optional<dtls::Bytes>& acknowledged);

  // ---- sent

  // A datagram of our handshake. Those of one flight come without another input between them.
  void add(dtls::Bytes datagram, dtls::PathId path);
  void end_flight() { is_flight_open_ = false; }
  // The datagram that the next response carries: each that is not acknowledged in turn, kMaxCarried
  // times. Null: none.
  const Pending* next();
  // Another association begins: what the former has sent is of no use.
  void forget_sent() { pending_.clear(); }
  // Of the last datagrams received.
  [[nodiscard]] std::span<const std::uint32_t> received() const {
    return std::span(received_).first(received_count_);
  }
  // The next datagram that has not been sent outside of STUN. Null: none.
  Pending* first_unsent();

  // Whether responses carry anything: the peer has sent one of the attributes, and end() has not
  // been called.
  [[nodiscard]] bool is_used() const { return is_used_ && !has_ended_; }
  // Nothing is sent in STUN any more.
  void end() { has_ended_ = true; }
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  [[nodiscard]] std::size_t mtu() const { return mtu_; }

 private:
  // Of a flight; a longer one is sent outside of STUN alone.
  static constexpr std::size_t kMaxPending = 16;
  // A response with a datagram is larger than its check, whose source may be forged by the peer. On
  // a path that loses a quarter of the packets one in 500 datagrams has not come back acknowledged
  // by then; DTLS sends it again with its next flight.
  static constexpr std::uint8_t kMaxCarried = 8;
  static constexpr std::size_t kMaxHashes = 4;

  std::vector<Pending> pending_;
  std::size_t next_ = 0;
  bool is_flight_open_ = false;
  std::array<std::uint32_t, kMaxHashes> received_{};  // a ring
  std::size_t received_count_ = 0;
  std::size_t received_next_ = 0;
  bool is_used_ = false;  // the peer has sent one of the attributes
  bool has_ended_ = false;
  std::size_t mtu_;
};

}  // namespace sluice::ice_lite
