// An SCTP association over DTLS (RFC 8261) with WebRTC's data channels (RFC 8831, RFC 8832).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <sluice/data_channel/channel.h>
#include <sluice/data_channel/error.h>
#include <sluice/data_channel/event.h>
#include <sluice/data_channel/statistics.h>
#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/config.h>

namespace sluice::data_channel {

struct Options {
  dtls::Role role = dtls::Role::server;  // this side's DTLS role: it decides the IDs of channels
  std::uint16_t local_port = 5000;       // own a=sctp-port, 1 or more
  std::uint16_t remote_port = 5000;      // the peer's
  // The largest SCTP packet in bytes, 576 to 16,384. With 37 bytes of DTLS, 8 of UDP and 40 of IPv6
  // the default fits IPv6's minimum MTU of 1280. The path's MTU is not discovered.
  std::size_t mtu = 1192;
  // Own a=max-message-size: larger messages of the peer are dropped. 1 to 16 MiB.
  std::size_t max_message_size = 262144;
  // The peer's a=max-message-size; 65,536 if it has none (RFC 8841 section 6.1); 0: any size, here
  // up to send_buffer.
  std::uint64_t peer_max_message_size = 65536;
  // Streams in each direction, half of them for each side's channels: 2 to 65,535. RFC 8831 section
  // 6.2 recommends 65,535; SCTP keeps about 250 bytes for each.
  std::uint16_t max_channels = 256;
  // Bytes that SCTP keeps until the peer has acknowledged them: no message is larger. 65,536 to 16
  // MiB.
  std::size_t send_buffer = 262144;
  // Bytes that SCTP keeps until they are polled: the receive window. 65,536 to 16 MiB.
  std::size_t receive_buffer = 262144;
  // Bytes of messages that wait for room in send_buffer, over all channels. A larger message may
  // wait alone.
  std::size_t max_buffered = 1048576;
  // Holds the INIT back until start(): for a=sctp-init.
  bool wait_for_start = false;
};

// Move-only. No socket, no clock.
//
// Memory, whatever the peer sends: send_buffer; max_buffered, or one larger message; twice
// receive_buffer, since data that fill a gap are taken beyond the window; max_message_size for the
// message that is being read; for each of max_channels its options and one fragment of the peer's,
// which is as large as a DTLS record at the most; 1,024 packets of `mtu`; 512 bytes for each of up
// to 4,096 packets of the peer that wait for an earlier one; 16 kB before start().
//
// After every input take the outputs: poll_event() until empty, then poll_transmit() until empty,
// because events lead to answers; then next_timeout(). While events are not polled, received data
// stay in the receive buffer, and the peer is stopped by SCTP's window.
//
// One thread at a time uses an association. Different threads may use different ones: usrsctp has
// one state for the process, so their calls take turns by one lock. All times come from one clock
// of the process, which does not go backwards while there is an association; inputs of one
// association may run timers of others, whose outputs then wait for their next poll.
class Association {
 public:
  // Starts the association, as both sides do once DTLS is connected (RFC 8841 section 9.3), or when
  // the peer's first packet is taken before that event: the INIT is ready to be polled. Errors:
  // invalid_options, library_failure.
  static Result<Association> make(const Options& options, dtls::Instant now);

  Association(Association&&) noexcept;
  Association& operator=(Association&&) noexcept;
  // Without close() the peer gets no ABORT; DTLS's close_notify tells it.
  ~Association();

  // ---- inputs

  // Takes one SCTP packet: what MediaTransport::poll_data() returns. What is malformed or not of
  // this association is dropped by SCTP.
  void handle_packet(dtls::Bytes packet, dtls::Instant now);
  // Call it at next_timeout() or later.
  void handle_timeout(dtls::Instant now);

  // Opens a channel and announces it by DATA_CHANNEL_OPEN; also before Established. Errors: closed;
  // invalid_options with the field's name; no_free_channel.
  Result<ChannelId> open(const ChannelOptions& options, dtls::Instant now);
  // Opens a channel that both applications know of, as `negotiated` in W3C's API: both sides call
  // this with the same ID, and nothing is sent. Errors: closed; invalid_options; channel_in_use.
  Result<void> open_negotiated(ChannelId id, const ChannelOptions& options, dtls::Instant now);
  // Sends a message, or queues it while SCTP's buffer is full. Errors, which change nothing:
  // closed, unknown_channel, channel_closing, message_too_large, queue_full.
  Result<void> send(ChannelId id, MessageType type, dtls::Bytes data, dtls::Instant now);
  // Closes a channel once its messages have been sent, by a reset of its stream (RFC 6525, RFC 8831
  // section 6.7); ChannelClosed tells when both directions are closed. Errors: closed,
  // unknown_channel, channel_closing.
  Result<void> close_channel(ChannelId id, dtls::Instant now);
  // Ends the association with an ABORT, which is ready to be polled. Later inputs do nothing.
  void close(dtls::Instant now);

  // ---- what only the peer's answer tells, where this side offers

  // The DTLS role, before the first open().
  void set_role(dtls::Role role);
  // As Options::peer_max_message_size; holds for messages that are sent from now on.
  void set_peer_max_message_size(std::uint64_t bytes);

  // ---- a=sctp-init: no handshake (draft-hancke-tsvwg-snap)

  // The INIT chunk of this side, for write_sctp_init(). Needs Options::wait_for_start; empty
  // without it. Where an answer names another port than Options::remote_port, make a new
  // association in place of this one, and start() it without the peer's chunk.
  [[nodiscard]] dtls::Bytes local_init() const;
  // Call it when DTLS is connected. Packets that have come before are kept, up to 32 of 16 kB
  // together, as MediaTransport keeps early data. With the INIT chunk of the peer's a=sctp-init,
  // from read_sctp_init(), the association is established at once. Without, it sends its INIT.
  // Errors: wrong_state if it was called before or without wait_for_start; invalid_init, after
  // which it may be called again without.
  Result<void> start(const std::optional<dtls::Bytes>& peer_init, dtls::Instant now);

  // ---- outputs

  std::optional<Event> poll_event();
  // The next SCTP packet for MediaTransport::seal_data(), in one DTLS record (RFC 8261 section 4).
  // Valid until the next call. SCTP sends a packet again that is lost or can't be sealed.
  std::optional<dtls::Bytes> poll_transmit();
  // Empty: nothing waits for a timer. SCTP's timers have ticks of 10 ms.
  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const;

  // ---- state

  [[nodiscard]] bool established() const;
  [[nodiscard]] bool closed() const;
  // Bytes of messages of the channel that wait for room in SCTP's send buffer; 0 for an unknown
  // one.
  [[nodiscard]] std::size_t buffered_amount(ChannelId id) const;
  // BufferedAmountLow comes when buffered_amount() falls from above `bytes` to it or below; at
  // first 0. Ignored for an unknown channel.
  void set_buffered_amount_low_threshold(ChannelId id, std::size_t bytes);
  [[nodiscard]] Statistics statistics() const;

 private:
  class Impl;
  explicit Association(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::data_channel
