#include "association_impl.h"

#include <algorithm>
#include <limits>

#include "init_chunk.h"

namespace sluice::data_channel {
namespace {

// After a packet of either side SCTP may delay a SACK (up to 500 ms, RFC 9260 section 6.2).
constexpr dtls::Duration kQuiet = std::chrono::seconds{1};
constexpr std::size_t kEmptyMessage = 1;
// As MediaTransport's early data (dtls::ConfigOptions).
constexpr std::size_t kMaxEarlyPackets = 32;
constexpr std::size_t kMaxEarlyBytes = 16384;

// The field that is out of range; empty: none.
std::string_view bad_channel_option(const ChannelOptions& options) {
  if (options.label.size() > kMaxChannelName) return "label";
  if (options.protocol.size() > kMaxChannelName) return "protocol";
  if (options.max_retransmits && options.max_lifetime) return "max_lifetime";
  if (options.max_lifetime &&
      (options.max_lifetime->count() < 0 ||
       options.max_lifetime->count() > std::numeric_limits<std::uint32_t>::max())) {
    return "max_lifetime";
  }
  return {};
}

tl::unexpected<Error> failed(Errc code, std::string_view detail = {}) {
  return tl::unexpected(Error{.code = code, .detail = detail});
}

}  // namespace

// ---- inputs

Result<void> Association::Impl::begin() {
  if (auto connected = socket_->connect(); !connected) return connected;
  busy_until_ = now_ + kQuiet;
  if (!options_.wait_for_start) return {};
  state_ = State::waiting_for_start;
  const auto packet = socket_->packets().pop();
  const Bytes init = packet ? init_chunk_of(*packet) : Bytes{};
  if (init.empty()) return failed(Errc::library_failure, "INIT");
  local_init_.assign(init.begin(), init.end());
  return {};
}

Result<void> Association::Impl::start(const std::optional<Bytes>& peer_init, dtls::Instant now) {
  advance(now);
  if (state_ != State::waiting_for_start) return failed(Errc::wrong_state);
  if (peer_init && !is_init_chunk(*peer_init)) return failed(Errc::invalid_init);
  if (!peer_init) {
    // A handshake as usual: the INIT that was held back is forgotten.
    options_.wait_for_start = false;
    socket_.emplace(options_, now_);
    local_init_.clear();
    state_ = State::connecting;
    if (auto connected = socket_->connect(); !connected) return connected;
    take_early();
    return {};
  }
  if (!socket_->end_wait()) return failed(Errc::library_failure, "SCTP_RTOINFO");
  // To SCTP both have sent an INIT at the same time (RFC 9260 section 5.2.1). It answers the peer's
  // with the tag of its own; the cookie in that comes back at once.
  socket_->packets().clear();
  socket_->receive(make_init(*peer_init, options_.remote_port, options_.local_port));
  const auto init_ack = socket_->packets().pop();
  const Buffer cookie_echo =
      init_ack ? make_cookie_echo(local_init_, *init_ack, options_.remote_port, options_.local_port)
               : Buffer{};
  if (cookie_echo.empty()) return failed(Errc::invalid_init);
  socket_->receive(cookie_echo);
  // usrsctp aborts here where parameters contradict each other.
  if (!socket_->figures().established) return failed(Errc::invalid_init);
  socket_->packets().clear();  // COOKIE ACK
  busy_until_ = now_ + kQuiet;
  state_ = State::connecting;
  take_early();
  return {};
}

void Association::Impl::keep_early(Bytes packet) {
  if (early_.size() == kMaxEarlyPackets || early_bytes_ + packet.size() > kMaxEarlyBytes) {
    count(Drop::early_full);
    return;
  }
  early_.emplace_back(packet.begin(), packet.end());
  early_bytes_ += packet.size();
}

void Association::Impl::take_early() {
  for (const Buffer& packet : early_) {
    if (!socket_->receive(packet)) count(Drop::window_exceeded);
  }
  early_ = {};
  early_bytes_ = 0;
}

void Association::Impl::advance(dtls::Instant now) {
  now_ = std::max(now_, now);
  SctpLibrary::instance().advance(now);
  // An INIT that is held back is also sent again.
  if (state_ == State::waiting_for_start) socket_->packets().clear();
}

void Association::Impl::handle_packet(Bytes packet, dtls::Instant now) {
  advance(now);
  ++statistics_.packets_received;
  statistics_.bytes_received += packet.size();
  if (state_ == State::waiting_for_start) return keep_early(packet);
  if (state_ == State::closed) return;
  if (!socket_->receive(packet)) count(Drop::window_exceeded);
  busy_until_ = now_ + kQuiet;
  pump();
}

void Association::Impl::handle_timeout(dtls::Instant now) {
  advance(now);
  if (state_ != State::closed) pump();
}

void Association::Impl::close(dtls::Instant now) {
  advance(now);
  if (state_ == State::closed) return;
  const bool waiting = state_ == State::waiting_for_start;
  socket_->abort();
  if (waiting) socket_->packets().clear();
  end(CloseReason::local);
}

void Association::Impl::end(CloseReason reason) {
  state_ = State::closed;
  statistics_.channels_closed += static_cast<std::uint32_t>(channels_.size());
  channels_.clear();
  resets_.clear();
  buffered_ = 0;
  events_.clear();
  events_.emplace_back(Closed{reason});
}

// ---- channels

std::size_t Association::Impl::largest_message() const {
  return options_.peer_max_message_size == 0
             ? options_.send_buffer
             : static_cast<std::size_t>(
                   std::min<std::uint64_t>(options_.peer_max_message_size, options_.send_buffer));
}

ChannelState& Association::Impl::add_channel(Stream stream, const ChannelOptions& options) {
  ++statistics_.channels_opened;
  return channels_.emplace(stream, ChannelState{.options = options}).first->second;
}

Result<ChannelId> Association::Impl::open(const ChannelOptions& options, dtls::Instant now) {
  advance(now);
  if (state_ == State::closed) return failed(Errc::closed);
  if (const auto fault = bad_channel_option(options); !fault.empty()) {
    return failed(Errc::invalid_options, fault);
  }
  const std::uint32_t limit = established() ? streams_ : options_.max_channels;
  // RFC 8832 section 6.
  for (std::uint32_t id = options_.role == dtls::Role::client ? 0 : 1; id < limit; id += 2) {
    const auto stream = static_cast<Stream>(id);
    if (channels_.contains(stream) || resets_.contains(stream)) continue;
    add_channel(stream, options);
    queue(stream, {.protocol = PayloadProtocol::dcep,
                   .data = write_channel_open(options),
                   .size = 0,
                   .queued_at = now_});
    pump();
    return ChannelId{stream};
  }
  return failed(Errc::no_free_channel);
}

Result<void> Association::Impl::open_negotiated(ChannelId id, const ChannelOptions& options,
                                                dtls::Instant now) {
  advance(now);
  if (state_ == State::closed) return failed(Errc::closed);
  if (const auto fault = bad_channel_option(options); !fault.empty()) {
    return failed(Errc::invalid_options, fault);
  }
  const auto stream = static_cast<Stream>(id);
  if (stream >= (established() ? streams_ : options_.max_channels)) {
    return failed(Errc::invalid_options, "id");
  }
  if (channels_.contains(stream) || resets_.contains(stream)) return failed(Errc::channel_in_use);
  add_channel(stream, options).peer_knows = true;
  return {};
}

Result<void> Association::Impl::close_channel(ChannelId id, dtls::Instant now) {
  advance(now);
  if (state_ == State::closed) return failed(Errc::closed);
  const auto found = channels_.find(static_cast<Stream>(id));
  if (found == channels_.end()) return failed(Errc::unknown_channel);
  if (found->second.closing) return failed(Errc::channel_closing);
  begin_close(found->first);
  pump();
  return {};
}

void Association::Impl::begin_close(Stream stream) {
  const auto found = channels_.find(stream);
  if (found != channels_.end()) {
    if (found->second.closing) return;
    found->second.closing = true;
  } else if (stream >= streams_) {
    return;  // nothing can be sent on it, a reset neither
  }
  resets_.insert(stream);
}

void Association::Impl::drop_queue(ChannelState& channel) {
  for (const QueuedMessage& message : channel.queue) {
    buffered_ -= message.data.size();
    if (message.protocol != PayloadProtocol::dcep) count(Drop::channel_closed);
  }
  channel.queue.clear();
  channel.buffered = 0;
}

// RFC 8831 section 6.7.
void Association::Impl::forget_if_closed(Channels::iterator channel) {
  if (!channel->second.closed()) return;
  drop_queue(channel->second);
  ++statistics_.channels_closed;
  events_.emplace_back(ChannelClosed{ChannelId{channel->first}});
  channels_.erase(channel);
}

std::size_t Association::Impl::buffered_amount(ChannelId id) const {
  const auto found = channels_.find(static_cast<Stream>(id));
  return found == channels_.end() ? 0 : found->second.buffered;
}

void Association::Impl::set_low_threshold(ChannelId id, std::size_t bytes) {
  const auto found = channels_.find(static_cast<Stream>(id));
  if (found != channels_.end()) found->second.low_threshold = bytes;
}

// ---- sending

Result<void> Association::Impl::send(ChannelId id, MessageType type, Bytes data,
                                     dtls::Instant now) {
  advance(now);
  if (state_ == State::closed) return failed(Errc::closed);
  const auto found = channels_.find(static_cast<Stream>(id));
  if (found == channels_.end()) return failed(Errc::unknown_channel);
  if (found->second.closing) return failed(Errc::channel_closing);
  if (data.size() > largest_message()) return failed(Errc::message_too_large);
  QueuedMessage message{.protocol = payload_protocol(type, data.empty()),
                        .data = {},
                        .size = data.size(),
                        .queued_at = now_};
  static constexpr std::byte kZero[kEmptyMessage] = {};
  const Bytes sent = data.empty() ? Bytes{kZero} : data;
  if (buffered_ == 0 && established()) {  // no message waits before it
    const auto how = found->second.delivery(message.protocol, dtls::Duration::zero());
    const auto status = socket_->send(found->first, message.protocol, sent, how);
    if (status == SctpSend::sent) {
      busy_until_ = now_ + kQuiet;
      ++statistics_.messages_sent;
      statistics_.message_bytes_sent += data.size();
      return {};
    }
  }
  if (buffered_ > 0 && buffered_ + sent.size() > options_.max_buffered) {
    return failed(Errc::queue_full);
  }
  message.data.assign(sent.begin(), sent.end());
  queue(found->first, std::move(message));
  pump();
  return {};
}

void Association::Impl::queue(Stream stream, QueuedMessage message) {
  ChannelState& channel = channels_.at(stream);
  buffered_ += message.data.size();
  channel.buffered += message.size;
  channel.queue.push_back(std::move(message));
}

void Association::Impl::pump() {
  if (!established()) return;
  // One message of each channel in turn.
  for (bool sent = true; sent;) {
    sent = false;
    auto channel = channels_.lower_bound(next_);
    for (std::size_t i = channels_.size(); i > 0; --i, ++channel) {
      if (channel == channels_.end()) channel = channels_.begin();
      if (channel->second.queue.empty()) continue;
      next_ = channel->first;
      if (!send_front(channel->first, channel->second)) return request_resets();
      sent = true;
    }
  }
  request_resets();
}

bool Association::Impl::send_front(Stream stream, ChannelState& channel) {
  const QueuedMessage& message = channel.queue.front();
  if (channel.expired(message, now_)) {
    count(Drop::expired);
    took(channel, stream, message);
    return true;
  }
  const auto how = channel.delivery(message.protocol, now_ - message.queued_at);
  const auto status = socket_->send(stream, message.protocol, message.data, how);
  if (status == SctpSend::would_block) return false;
  busy_until_ = now_ + kQuiet;
  if (status == SctpSend::failed) {
    count(Drop::not_sent);
  } else if (message.protocol != PayloadProtocol::dcep) {
    ++statistics_.messages_sent;
    statistics_.message_bytes_sent += message.size;
  }
  took(channel, stream, message);
  return true;
}

void Association::Impl::took(ChannelState& channel, Stream stream, const QueuedMessage& message) {
  const bool above = channel.buffered > channel.low_threshold;
  buffered_ -= message.data.size();
  channel.buffered -= message.size;
  channel.queue.pop_front();
  if (!above || channel.buffered > channel.low_threshold) return;
  const bool told = std::ranges::any_of(events_, [stream](const Event& event) {
    const auto* low = std::get_if<BufferedAmountLow>(&event);
    return low != nullptr && low->id == ChannelId{stream};
  });
  if (!told) events_.emplace_back(BufferedAmountLow{ChannelId{stream}});
}

void Association::Impl::request_resets() {
  std::vector<Stream> streams;
  for (const Stream stream : resets_) {
    const auto channel = channels_.find(stream);
    if (channel == channels_.end() || channel->second.queue.empty()) streams.push_back(stream);
  }
  if (streams.empty()) return;
  const auto request = socket_->reset(streams);
  if (request == SctpResetRequest::later) return;
  busy_until_ = now_ + kQuiet;
  for (const Stream stream : streams) {
    resets_.erase(stream);
    const auto channel = channels_.find(stream);
    if (channel == channels_.end()) continue;
    channel->second.reset_requested = true;
    if (request == SctpResetRequest::made) continue;
    // The peer never learns of it, and answers nothing.
    channel->second.close_both();
    forget_if_closed(channel);
  }
}

// ---- outputs

std::optional<Bytes> Association::Impl::poll_transmit() {
  if (state_ == State::waiting_for_start) return std::nullopt;
  const auto packet = socket_->packets().pop();
  if (!packet) return std::nullopt;
  ++statistics_.packets_sent;
  statistics_.bytes_sent += packet->size();
  return packet;
}

std::optional<dtls::Instant> Association::Impl::next_timeout() const {
  if (state_ == State::waiting_for_start) return std::nullopt;
  if (!events_.empty() || !socket_->packets().empty()) return now_;
  if (state_ == State::closed) return std::nullopt;
  const bool busy = state_ == State::connecting || now_ < busy_until_ || !resets_.empty() ||
                    buffered_ > 0 || socket_->figures().active ||
                    std::ranges::any_of(channels_, [](const auto& entry) {
                      return entry.second.reset_requested && !entry.second.closed();
                    });
  return busy ? std::optional{now_ + SctpLibrary::kTick} : std::nullopt;
}

Statistics Association::Impl::statistics() const {
  Statistics statistics = statistics_;
  statistics.dropped[static_cast<std::size_t>(Drop::packets_full)] = socket_->dropped_packets();
  statistics.dropped[static_cast<std::size_t>(Drop::packet_too_large)] =
      socket_->too_large_packets();
  if (!established()) return statistics;
  const SctpFigures figures = socket_->figures();
  statistics.rtt = figures.rtt;
  statistics.congestion_window = figures.congestion_window;
  statistics.peer_window = figures.peer_window;
  return statistics;
}

}  // namespace sluice::data_channel
