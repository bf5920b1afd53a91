// Reading: what SCTP hands out becomes events.
#include <algorithm>
#include <utility>

#include "association_impl.h"

namespace sluice::data_channel {
namespace {

// How often a reset may be refused until the channel counts as closed.
constexpr std::uint8_t kMaxRefusedResets = 8;

}  // namespace

std::optional<Event> Association::Impl::poll_event() {
  while (true) {
    if (!events_.empty()) {
      Event event = std::move(events_.front());
      events_.pop_front();
      return event;
    }
    if (state_ == State::closed || state_ == State::waiting_for_start) return std::nullopt;
    const auto input = socket_->read();
    if (!input) return std::nullopt;
    auto event = std::visit([this](const auto& value) { return on_input(value); }, *input);
    if (event) return event;
  }
}

std::optional<Event> Association::Impl::on_input(const SctpUp& input) {
  if (established()) {
    on_restart();
    return std::nullopt;
  }
  state_ = State::established;
  streams_ = std::min(input.streams, options_.max_channels);
  // Channels that were opened before may be more than the peer has streams for.
  for (auto channel = channels_.lower_bound(streams_); channel != channels_.end();) {
    channel->second.close_both();
    forget_if_closed(channel++);
  }
  pump();
  return Established{};
}

// The channels stay. The peer knows nothing of a reset that was under way.
void Association::Impl::on_restart() {
  for (auto channel = channels_.begin(); channel != channels_.end();) {
    if (channel->second.reset_requested) channel->second.close_both();
    forget_if_closed(channel++);
  }
  pump();
}

std::optional<Event> Association::Impl::on_input(const SctpDown& input) {
  socket_->abort();
  end(input.timeout ? CloseReason::timeout : CloseReason::peer);
  return std::nullopt;
}

std::optional<Event> Association::Impl::on_input(const SctpOversized& /*input*/) {
  count(Drop::message_too_large);
  return std::nullopt;
}

std::optional<Event> Association::Impl::on_input(const SctpMessage& input) {
  if (input.protocol == PayloadProtocol::dcep) return on_dcep(input.stream, input.data);
  const auto type = message_type(input.protocol);
  if (!type) {
    count(Drop::unknown_protocol);
    return std::nullopt;
  }
  const auto found = channels_.find(input.stream);
  if (found == channels_.end()) {
    // RFC 8832 section 6: the channel must be closed.
    count(Drop::unknown_channel);
    begin_close(input.stream);
    pump();
    return std::nullopt;
  }
  found->second.peer_knows = true;
  const Bytes data = stands_for_empty(input.protocol) ? Bytes{} : input.data;
  ++statistics_.messages_received;
  statistics_.message_bytes_received += data.size();
  return MessageReceived{.id = ChannelId{input.stream}, .type = *type, .data = data};
}

std::optional<Event> Association::Impl::on_dcep(Stream stream, Bytes message) {
  const auto found = channels_.find(stream);
  if (is_channel_ack(message)) {
    if (found == channels_.end() || std::exchange(found->second.peer_knows, true)) {
      return std::nullopt;
    }
    return ChannelAcknowledged{ChannelId{stream}};
  }
  auto options = read_channel_open(message);
  // RFC 8832 section 6: an unused stream, and valid parameters. Otherwise the channel is closed and
  // no ACK is sent. Streams of this side's kind are accepted, against that section: aiortc chooses
  // even and odd ones by the role in ICE, so that half of the calls with it would have no channels.
  // A channel needs a stream in both directions.
  if (!options || found != channels_.end() || resets_.contains(stream) || stream >= streams_) {
    count(Drop::refused_open);
    begin_close(stream);
    pump();
    return std::nullopt;
  }
  add_channel(stream, *options).peer_knows = true;
  queue(stream, {.protocol = PayloadProtocol::dcep,
                 .data = write_channel_ack(),
                 .size = 0,
                 .queued_at = now_});
  pump();
  return ChannelOpened{.id = ChannelId{stream}, .options = std::move(*options)};
}

std::optional<Event> Association::Impl::on_input(const SctpReset& input) {
  const auto apply = [&](Stream stream) {
    if (input.incoming) {
      on_incoming_reset(stream);
    } else {
      on_outgoing_reset(stream, input.refused);
    }
  };
  if (!input.streams.empty()) {
    std::ranges::for_each(input.streams, apply);
  } else {
    std::vector<Stream> all;
    for (const auto& [stream, channel] : channels_) all.push_back(stream);
    std::ranges::for_each(all, apply);
  }
  pump();  // another reset may have waited for this
  return std::nullopt;
}

// RFC 8831 section 6.7: the peer closes a channel by resetting its stream; the answer is a reset of
// our stream. Messages that wait for it are dropped.
void Association::Impl::on_incoming_reset(Stream stream) {
  const auto found = channels_.find(stream);
  if (found == channels_.end()) return;
  found->second.incoming_closed = true;
  drop_queue(found->second);
  begin_close(stream);
  forget_if_closed(found);
}

void Association::Impl::on_outgoing_reset(Stream stream, bool refused) {
  const auto found = channels_.find(stream);
  if (found == channels_.end() || !found->second.reset_requested) return;
  if (refused && ++found->second.refused_resets < kMaxRefusedResets) {
    found->second.reset_requested = false;
    resets_.insert(stream);
    return;
  }
  found->second.outgoing_closed = true;
  if (refused) found->second.incoming_closed = true;
  forget_if_closed(found);
}

}  // namespace sluice::data_channel
