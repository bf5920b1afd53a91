// MediaTransport behind its facade.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <sluice/transport/media_transport.h>

#include "association.h"
#include "early_media.h"
#include "path_table.h"
#include "previous_association.h"

namespace sluice::transport {

class MediaTransport::Impl {
 public:
  Impl(MediaTransportOptions options, dtls::Environment& environment);

  // Inputs, as in MediaTransport.
  dtls::Result<TransportPending> start(dtls::Role role, Instant now);
  dtls::Result<TransportPending> set_peer_fingerprints(std::span<const dtls::Fingerprint> announced,
                                                       Instant now);
  dtls::Result<TransportPending> restart(dtls::Role role,
                                         std::span<const dtls::Fingerprint> announced, Instant now);
  dtls::Result<TransportPending> path_validated(PathId path, Instant now);
  dtls::Result<TransportPending> path_selected(PathId path, std::optional<dtls::Duration> rtt,
                                               Instant now);
  void path_removed(PathId path);
  void set_path_mtu(std::size_t mtu);
  dtls::Result<TransportPending> handle_datagram(MutableBytes datagram, PathId path, Instant now);
  dtls::Result<TransportPending> handle_timeout(Instant now);
  dtls::Result<TransportPending> close(Instant now);

  // Sending.
  srtp::PacketResult protect(MediaKind kind, MutableBytes buffer, std::size_t size);
  dtls::SendResult seal_data(Bytes application_data, MutableBytes out);

  // Outputs.
  std::optional<dtls::Transmit> poll_transmit(MutableBytes out);
  std::optional<MutableBytes> poll_data();
  std::optional<MediaPacket> poll_media();
  std::optional<TransportEvent> poll_event();
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  [[nodiscard]] std::optional<PathId> path() const;
  [[nodiscard]] bool connected() const { return sender() != nullptr; }
  [[nodiscard]] std::optional<dtls::ConnectionInfo> info() const;
  [[nodiscard]] const MediaTransportStatistics& statistics() const { return statistics_; }
  [[nodiscard]] std::optional<dtls::Statistics> dtls_statistics() const;
  [[nodiscard]] srtp::Session* srtp_session();

 private:
  struct Ended {
    enum class By : std::uint8_t { user, peer, failure };
    By by;
    std::optional<dtls::Error> error = {};  // of a failure
  };

  // Each input begins and ends with these; what lies between is skipped after the end.
  [[nodiscard]] const Ended* begin_input();
  dtls::Result<TransportPending> end_input(const dtls::Result<void>& outcome, Instant now);
  [[nodiscard]] dtls::Result<TransportPending> after_end(const Ended& ended) const;
  void end(Ended ended, Instant now);

  // The newest association.
  dtls::Result<void> begin_client_if_possible(Instant now);
  dtls::Result<void> begin(dtls::Role role, PathId path, Instant now);
  dtls::Result<void> after_connection(const dtls::Result<dtls::Pending>& result, Instant now);
  void on_connected(const dtls::ConnectionInfo& info, Instant now);
  void on_new_keys_used(Instant now);
  [[nodiscard]] bool current_connected() const {
    return current_ && current_->connection().connected();
  }
  // The path that is selected, if it belongs to the newest association.
  [[nodiscard]] std::optional<PathId> selected_for_current() const;

  // Datagrams.
  [[nodiscard]] bool serves(Generation generation, PacketClass packet_class) const;
  dtls::Result<void> on_dtls(MutableBytes datagram, PathId path, Instant now);
  void on_old_dtls(MutableBytes datagram, PathId path, Instant now);
  void on_media(MutableBytes datagram, Generation generation, Instant now);
  // The three times of a packet's arrival: before the newest keys, while old ones serve too, after.
  void on_early_media(MediaKind kind, MutableBytes datagram);
  void on_media_in_overlap(MediaKind kind, MutableBytes datagram, Instant now);
  void on_settled_media(MediaKind kind, MutableBytes datagram);
  // Empty when the previous association has no session. Counts what passes.
  std::optional<srtp::PacketResult> unprotect_with_old_keys(MediaKind kind, MutableBytes datagram);
  // False when the packet is too large for it.
  [[nodiscard]] bool copy_to_spare(Bytes datagram);
  void copy_back(MutableBytes datagram) const;
  // Hands out what passed, counts what didn't.
  void settle(MediaKind kind, MutableBytes datagram, srtp::PacketResult result);
  void drop(Drop reason) { ++statistics_.dropped[static_cast<std::size_t>(reason)]; }

  // The association that a path belongs to; null when it isn't known or serves none.
  [[nodiscard]] Association* association_of(PathId path);
  // Whose keys protect now; null for none.
  [[nodiscard]] const Association* sender() const;
  [[nodiscard]] Association* sender() {
    return const_cast<Association*>(std::as_const(*this).sender());
  }
  [[nodiscard]] bool may_transmit(const Association& association) const;
  void forget_previous();

  MediaTransportOptions options_;
  dtls::Environment* environment_;
  std::optional<dtls::Role> role_;
  std::vector<dtls::Fingerprint> announced_;

  PathTable paths_;
  std::optional<PathId> selected_;
  std::optional<dtls::Duration> rtt_;  // of the selected path
  std::optional<std::size_t> mtu_;

  Generation generation_{};
  std::optional<Association> current_;
  std::optional<PreviousAssociation> previous_;
  // A packet's copy, since GCM destroys what it can't authenticate: only while there is a
  // predecessor.
  dtls::Buffer spare_;
  std::optional<Ended> ended_;

  EarlyMedia early_;
  std::optional<EarlyMedia::Packet> delivered_early_;  // what poll_media() returned last
  std::optional<MediaPacket> media_;
  std::vector<TransportEvent> events_;
  TransportPending pending_;  // what the present input has left so far
  bool data_valid_ = false;   // whether what the connections hold comes from the latest input
  std::optional<Instant> reported_timeout_;
  MediaTransportStatistics statistics_;
};

}  // namespace sluice::transport
