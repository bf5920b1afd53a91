#include "demo/channel_echo.h"

#include <utility>
#include <variant>

#include "common/sdp/data_section.h"

namespace sluice::interop::demo {

using data_channel::Drop;

namespace {

// RFC 9260 section 3.2: INIT and INIT ACK are alone in their packets, COOKIE ECHO and COOKIE ACK
// come first.
bool is_handshake(dtls::Bytes packet) {
  constexpr std::size_t kCommonHeader = 12;
  if (packet.size() <= kCommonHeader) return false;
  const auto type = std::to_integer<int>(packet[kCommonHeader]);
  return type == 1 || type == 2 || type == 10 || type == 11;
}

}  // namespace

void ChannelEcho::start(dtls::Bytes peer_init, dtls::Instant now) {
  start_association(association_, peer_init, now);
  pump(now);
}

std::optional<dtls::Bytes> ChannelEcho::poll_transmit() {
  const auto packet = association_.poll_transmit();
  if (packet) statistics_.handshake_packets += is_handshake(*packet);
  return packet;
}

void ChannelEcho::handle_packet(dtls::Bytes packet, dtls::Instant now) {
  statistics_.handshake_packets += is_handshake(packet);
  association_.handle_packet(packet, now);
  pump(now);
}

void ChannelEcho::handle_timeout(dtls::Instant now) {
  const auto due = association_.next_timeout();
  if (!due || now < *due) return;
  association_.handle_timeout(now);
  pump(now);
}

void ChannelEcho::pump(dtls::Instant now) {
  if (waiting_ && !echo(waiting_->id, waiting_->type, waiting_->data, now)) return;
  waiting_.reset();
  while (!waiting_) {
    const auto event = association_.poll_event();
    if (!event) return;
    on_event(*event, now);
  }
}

void ChannelEcho::reopen(const Channels& channels, dtls::Instant now) {
  for (const auto& [id, options] : channels) {
    // As channels that both sides know of: nothing is sent.
    if (association_.open_negotiated(id, options, now)) channels_.emplace(id, options);
  }
}

void ChannelEcho::on_event(const data_channel::Event& event, dtls::Instant now) {
  if (const auto* opened = std::get_if<data_channel::ChannelOpened>(&event)) {
    channels_.emplace(opened->id, opened->options);
    ++statistics_.channels_opened;
    statistics_.last_label = opened->options.label;
  } else if (const auto* closed = std::get_if<data_channel::ChannelClosed>(&event)) {
    channels_.erase(closed->id);
    ++statistics_.channels_closed;
  } else if (std::holds_alternative<data_channel::Closed>(event)) {
    channels_.clear();
  } else if (const auto* message = std::get_if<data_channel::MessageReceived>(&event)) {
    if (echo(message->id, message->type, message->data, now)) return;
    waiting_ = Waiting{.id = message->id,
                       .type = message->type,
                       .data = {message->data.begin(), message->data.end()}};
  }
}

bool ChannelEcho::echo(data_channel::ChannelId id, data_channel::MessageType type, dtls::Bytes data,
                       dtls::Instant now) {
  const auto sent = association_.send(id, type, data, now);
  if (!sent && sent.error().code == data_channel::Errc::queue_full) return false;
  if (sent) {
    ++statistics_.messages_echoed;
    statistics_.bytes_echoed += data.size();
  } else {
    ++statistics_.messages_dropped;
  }
  return true;
}

ChannelStatistics ChannelEcho::statistics() const {
  ChannelStatistics all = statistics_;
  const auto statistics = association_.statistics();
  for (const auto reason :
       {Drop::message_too_large, Drop::unknown_protocol, Drop::unknown_channel, Drop::refused_open,
        Drop::expired, Drop::channel_closed, Drop::not_sent}) {
    all.messages_dropped += statistics.count(reason);
  }
  return all;
}

}  // namespace sluice::interop::demo
