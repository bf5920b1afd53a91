// MediaTransport behind its facade.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <sluice/transport/media_transport.h>

#include "associations.h"
#include "media_receiver.h"

namespace sluice::transport {

class MediaTransport::Impl {
 public:
  Impl(MediaTransportOptions options, dtls::Environment& environment);

  // Of a transport that is new. On an Error it is of no use.
  dtls::Result<void> restore(Bytes state, Instant now);
  dtls::Result<TransportState> export_session(const dtls::ExportOptions& options);
  [[nodiscard]] std::optional<ExportBlocked> export_blocked() const;

  // Inputs, as in MediaTransport.
  dtls::Result<TransportPending> start(dtls::Role role, Instant now);
  dtls::Result<TransportPending> set_peer_fingerprints(std::span<const dtls::Fingerprint> announced,
                                                       Instant now);
  dtls::Result<void> set_cryptex(srtp::Cryptex mode);
  [[nodiscard]] srtp::Cryptex cryptex() const { return options_.srtp.cryptex; }
  dtls::Result<TransportPending> restart(dtls::Role role,
                                         std::span<const dtls::Fingerprint> announced, Instant now);
  dtls::Result<TransportPending> path_validated(PathId path, Instant now);
  dtls::Result<TransportPending> path_selected(PathId path, std::optional<dtls::Duration> rtt,
                                               Instant now);
  void path_removed(PathId path) { associations_.remove_path(path); }
  void set_path_mtu(std::size_t mtu);
  void set_path_rtt(dtls::Duration rtt);
  dtls::Result<TransportPending> handle_datagram(MutableBytes datagram, PathId path, Instant now);
  dtls::Result<TransportPending> handle_timeout(Instant now);
  dtls::Result<TransportPending> close(Instant now);

  // Sending.
  srtp::Outcome protect(MediaKind kind, MutableBytes buffer, std::size_t size);
  dtls::SendResult seal_data(Bytes application_data, MutableBytes out);

  // Outputs.
  std::optional<dtls::Transmit> poll_transmit(MutableBytes out, std::optional<PathId> only);
  std::optional<MutableBytes> poll_data();
  std::optional<MediaPacket> poll_media() { return receiver_.poll(associations_); }
  std::optional<TransportEvent> poll_event();
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  [[nodiscard]] std::optional<PathId> path() const { return associations_.sending_path(); }
  [[nodiscard]] TransportWaitingFor waiting_for() const;
  [[nodiscard]] bool ended() const { return ended_ != nullptr; }
  [[nodiscard]] std::optional<dtls::Error> error() const {
    return ended_ ? ended_->error : std::nullopt;
  }
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

  // Null also after the end.
  [[nodiscard]] const Association* sender() const {
    return ended_ ? nullptr : associations_.sender();
  }
  [[nodiscard]] Association* sender() { return ended_ ? nullptr : associations_.sender(); }

  // Each input begins and ends with these; what lies between is skipped after the end.
  [[nodiscard]] const Ended* begin_input(Instant now);
  // The same for an input that leaves what is to be polled.
  [[nodiscard]] const Ended* begin_report(Instant now);
  dtls::Result<TransportPending> end_input(dtls::Result<void> outcome, Instant now);
  // The same for a packet of media.
  dtls::Result<TransportPending> end_media(Instant now);
  [[nodiscard]] dtls::Result<TransportPending> after_end() const;
  void end(Ended ended, Instant now);
  // What came of the newest association's SRTP session: an Error when there is none, events.
  dtls::Result<void> check_session(Instant now);

  // The newest association.
  dtls::Result<void> begin_client_if_possible(Instant now);
  dtls::Result<void> begin(dtls::Role role, PathId path, Instant now);
  dtls::Result<void> after_connection(const dtls::Result<dtls::Pending>& result, Instant now);
  // Whether there was an event.
  bool take_events(Instant now);
  void on_connected(const dtls::ConnectionInfo& info, Instant now);
  void drop_previous();

  // Counts a packet that is not sent.
  [[gnu::cold]] srtp::Outcome refuse(srtp::PacketError error);

  // Datagrams.
  dtls::Result<TransportPending> handle_others(MutableBytes datagram, PacketClass packet_class,
                                               PathId path, Instant now);
  dtls::Result<void> on_dtls(MutableBytes datagram, PathId path, Instant now);
  void on_old_dtls(MutableBytes datagram, PathId path, Instant now);
  void drop(Drop reason) { ++statistics_.dropped[static_cast<std::size_t>(reason)]; }

  MediaTransportOptions options_;
  dtls::Environment* environment_;
  MediaTransportStatistics statistics_;
  std::optional<dtls::Role> role_;
  std::vector<dtls::Fingerprint> announced_;  // until the newest association begins
  std::optional<dtls::Duration> rtt_;         // of the selected path
  std::optional<std::size_t> mtu_;

  std::unique_ptr<const Ended> ended_;  // null: it has not
  Associations associations_;
  MediaReceiver receiver_;

  std::vector<TransportEvent> events_;
  TransportPending pending_;  // what the present input has left so far
  bool data_valid_ = false;   // whether what the connections hold comes from the latest input
  // The newest association has connected while outputs were polled, since the last input.
  bool connected_late_ = false;
  Instant latest_ = Instant::min();  // the time of the last input
  std::optional<Instant> reported_timeout_;
};

}  // namespace sluice::transport
