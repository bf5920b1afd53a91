// Echoes the messages of data channels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <sluice/data_channel/association.h>

namespace sluice::interop::demo {

// The open ones.
using Channels = std::map<data_channel::ChannelId, data_channel::ChannelOptions>;

struct ChannelStatistics {
  std::uint32_t channels_opened = 0;
  std::uint32_t channels_closed = 0;
  std::uint64_t messages_echoed = 0;
  std::uint64_t bytes_echoed = 0;
  std::uint64_t messages_dropped = 0;  // no open channel, unknown protocol, too large
  std::string last_label;              // of the channel opened last
  // INIT, INIT ACK, COOKIE ECHO and COOKIE ACK, in both directions: 4 or more, 0 with a=sctp-init.
  std::uint64_t handshake_packets = 0;
};

// The data channels of one association. Not thread-safe.
class ChannelEcho {
 public:
  explicit ChannelEcho(data_channel::Association association)
      : association_(std::move(association)) {}

  // Of associations with Options::wait_for_start: when DTLS is connected. `peer_init`: of the
  // peer's a=sctp-init; empty: a handshake.
  void start(dtls::Bytes peer_init, dtls::Instant now);
  [[nodiscard]] dtls::Bytes local_init() const { return association_.local_init(); }
  // What the answer to our offer says, before start().
  void set_peer(dtls::Role own_role, std::uint64_t max_message_size) {
    association_.set_role(own_role);
    association_.set_peer_max_message_size(max_message_size);
  }

  // After start() and each of these poll_transmit() until empty.
  void handle_packet(dtls::Bytes packet, dtls::Instant now);
  // Runs the timers, if they are due.
  void handle_timeout(dtls::Instant now);

  std::optional<dtls::Bytes> poll_transmit();

  [[nodiscard]] ChannelStatistics statistics() const;
  [[nodiscard]] std::size_t open_channels() const { return channels_.size(); }
  [[nodiscard]] bool established() const { return association_.established(); }
  [[nodiscard]] const Channels& channels() const { return channels_; }
  // Channels of an earlier association, which this one has restarted (RFC 9260 section 5.2): the
  // peer does not open them again. Before the first packet.
  void reopen(const Channels& channels, dtls::Instant now);

 private:
  struct Waiting {
    data_channel::ChannelId id;
    data_channel::MessageType type;
    dtls::Buffer data;
  };

  // Reads the messages that have arrived and answers them. While the association can't take an
  // answer, nothing more is read, so the receive window stops the peer.
  void pump(dtls::Instant now);
  // False: it can't be sent yet.
  bool echo(data_channel::ChannelId id, data_channel::MessageType type, dtls::Bytes data,
            dtls::Instant now);
  void on_event(const data_channel::Event& event, dtls::Instant now);

  data_channel::Association association_;
  Channels channels_;
  std::optional<Waiting> waiting_;
  ChannelStatistics statistics_;
};

}  // namespace sluice::interop::demo
