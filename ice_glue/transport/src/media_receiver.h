// Received SRTP and SRTCP packets, from the datagram to poll_media().
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <sluice/transport/media_transport.h>

#include "associations.h"
#include "early_media.h"

namespace sluice::transport {

// Decrypts each packet with the keys that fit. A packet that comes before its keys is kept as early
// media. Between a restart() and the end of the previous association both keys are tried.
class MediaReceiver {
 public:
  // Both outlive the receiver. Each packet is counted in `statistics`.
  MediaReceiver(const MediaTransportOptions& options, MediaTransportStatistics& statistics)
      : options_(options),
        statistics_(statistics),
        early_(options.max_early_packets, options.max_early_packet_size) {}
  MediaReceiver(const MediaReceiver&) = delete;
  MediaReceiver& operator=(const MediaReceiver&) = delete;

  // Decrypts `datagram` where it lies. `generation` is that of the path it came over.
  void receive(MutableBytes datagram, Generation generation, Associations& associations,
               Instant now);
  // The same where the packet can only be of `session`. Inline, as nearly all packets come by here.
  void receive(MutableBytes datagram, srtp::Session& session) {
    if (srtp::is_rtcp(datagram)) {
      settle(MediaKind::rtcp, datagram, session.unprotect_rtcp(datagram));
    } else {
      settle(MediaKind::rtp, datagram, session.unprotect_rtp(datagram));
    }
  }
  // The next packet, the oldest early one first; empty when there is none.
  std::optional<MediaPacket> poll(Associations& associations) {
    return early_.empty() ? take_packet() : poll_early(associations);
  }
  [[nodiscard]] bool has_packet(const Associations& associations) const {
    return !packet_.packet.empty() || (associations.newest_connected() && !early_.empty());
  }

  // The spans that poll() gave are invalid from now on.
  void forget_packet() {
    packet_.packet = {};
    if (!delivered_early_.empty()) delivered_early_ = {};
  }
  void forget_early() { early_.clear(); }
  // While there is a previous association, a packet that fails under one key is tried with the
  // other.
  void begin_overlap();
  void end_overlap() { copy_ = {}; }

 private:
  // The newest association is connected.
  void unprotect_with_new_keys(MediaKind kind, MutableBytes datagram, Associations& associations);
  // The newest association isn't connected.
  void receive_early(MediaKind kind, MutableBytes datagram, Associations& associations);
  // The newest association is connected, and the previous one still serves.
  void receive_in_overlap(MediaKind kind, MutableBytes datagram, Associations& associations,
                          Instant now);
  // Empty when there is no previous association or it has no session. Counts what passes.
  std::optional<srtp::PacketResult> unprotect_with_old_keys(MediaKind kind, MutableBytes datagram,
                                                            Associations& associations);
  // False when the packet is too large to be copied.
  [[nodiscard]] bool keep_copy(Bytes datagram);
  void restore(MutableBytes datagram) const;
  // Makes what passed the next packet, counts what didn't.
  void settle(MediaKind kind, MutableBytes datagram, const srtp::PacketResult& result) {
    if (!result) return count_refused(result.error());
    ++(kind == MediaKind::rtp ? statistics_.rtp_received : statistics_.rtcp_received);
    packet_ = {kind, datagram.first(*result)};
  }
  // An empty `result` means that there is no session.
  void settle_if_any(MediaKind kind, MutableBytes datagram,
                     const std::optional<srtp::PacketResult>& result);
  [[gnu::cold]] void count_refused(srtp::PacketError error);
  std::optional<MediaPacket> take_packet() {
    if (packet_.packet.empty()) return std::nullopt;
    return MediaPacket{packet_.kind, std::exchange(packet_.packet, {})};
  }
  std::optional<MediaPacket> poll_early(Associations& associations);
  void drop(Drop reason) { ++statistics_.dropped[static_cast<std::size_t>(reason)]; }

  const MediaTransportOptions& options_;
  MediaTransportStatistics& statistics_;
  EarlyMedia early_;
  std::vector<EarlyMedia::Packet>
      delivered_early_;   // what poll() has returned since the last input
  MediaPacket packet_{};  // of no bytes: none
  // Empty outside of an overlap. AES-GCM decrypts while it authenticates, which destroys a packet
  // of the other key.
  dtls::Buffer copy_;
};

}  // namespace sluice::transport
