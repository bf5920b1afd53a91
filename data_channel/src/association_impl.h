// The association behind its face. All members want the lock of SctpLibrary.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <sluice/data_channel/association.h>

#include "channel_state.h"
#include "sctp_socket.h"

namespace sluice::data_channel {

class Association::Impl {
 public:
  Impl(const Options& options, dtls::Instant now)
      : options_(options), socket_(std::in_place, options, now), now_(now) {}

  Result<void> begin();
  Result<void> start(const std::optional<Bytes>& peer_init, dtls::Instant now);
  void handle_packet(Bytes packet, dtls::Instant now);
  void handle_timeout(dtls::Instant now);
  Result<ChannelId> open(const ChannelOptions& options, dtls::Instant now);
  Result<void> open_negotiated(ChannelId id, const ChannelOptions& options, dtls::Instant now);
  Result<void> send(ChannelId id, MessageType type, Bytes data, dtls::Instant now);
  Result<void> close_channel(ChannelId id, dtls::Instant now);
  void close(dtls::Instant now);

  std::optional<Event> poll_event();
  std::optional<Bytes> poll_transmit();
  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const;

  void set_role(dtls::Role role) { options_.role = role; }
  void set_peer_max_message_size(std::uint64_t bytes) { options_.peer_max_message_size = bytes; }
  [[nodiscard]] Bytes local_init() const { return local_init_; }
  [[nodiscard]] bool established() const { return state_ == State::established; }
  [[nodiscard]] bool closed() const { return state_ == State::closed; }
  [[nodiscard]] std::size_t buffered_amount(ChannelId id) const;
  void set_low_threshold(ChannelId id, std::size_t bytes);
  [[nodiscard]] Statistics statistics() const;

 private:
  enum class State : std::uint8_t { waiting_for_start, connecting, established, closed };
  using Stream = std::uint16_t;
  using Channels = std::map<Stream, ChannelState>;

  // ---- channels
  [[nodiscard]] std::size_t largest_message() const;
  ChannelState& add_channel(Stream stream, const ChannelOptions& options);
  // Closes a channel, or a stream that has none, by resetting the outgoing stream. Messages that
  // wait are sent before.
  void begin_close(Stream stream);
  void drop_queue(ChannelState& channel);
  void forget_if_closed(Channels::iterator channel);
  void end(CloseReason reason);

  // ---- sending
  void queue(Stream stream, QueuedMessage message);
  // Gives SCTP what it takes of the queued messages, then asks for resets.
  void pump();
  // False: SCTP takes no more.
  bool send_front(Stream stream, ChannelState& channel);
  void took(ChannelState& channel, Stream stream, const QueuedMessage& message);
  void request_resets();

  // ---- reading: each returns an event of its own, or leaves some in events_
  std::optional<Event> on_input(const SctpUp& input);
  std::optional<Event> on_input(const SctpDown& input);
  std::optional<Event> on_input(const SctpMessage& input);
  std::optional<Event> on_input(const SctpOversized& input);
  std::optional<Event> on_input(const SctpReset& input);
  void on_restart();
  std::optional<Event> on_dcep(Stream stream, Bytes message);
  void on_incoming_reset(Stream stream);
  void on_outgoing_reset(Stream stream, bool refused);

  void count(Drop reason, std::uint64_t number = 1) {
    statistics_.dropped[static_cast<std::size_t>(reason)] += number;
  }
  void advance(dtls::Instant now);
  void keep_early(Bytes packet);
  void take_early();

  Options options_;
  std::optional<SctpSocket> socket_;  // always there; start() may make another
  dtls::Instant now_;                 // of the last input
  State state_ = State::connecting;
  Buffer local_init_;
  std::vector<Buffer> early_;  // packets before start()
  std::size_t early_bytes_ = 0;
  std::uint16_t streams_ = 0;  // that both directions have, once established
  Channels channels_;
  // Streams whose outgoing side is to be reset as soon as SCTP can: of channels that are closing,
  // and of streams on which the peer has broken a rule. At most max_channels.
  std::set<Stream> resets_;
  Stream next_ = 0;           // whose turn it is to send
  std::size_t buffered_ = 0;  // bytes of all queues
  // At most: Established, Closed, and for each channel ChannelAcknowledged, ChannelClosed and
  // BufferedAmountLow.
  std::deque<Event> events_;
  dtls::Instant busy_until_{};  // SCTP may have timers until then
  Statistics statistics_;
};

}  // namespace sluice::data_channel
