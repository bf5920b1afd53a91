#include "demo/channel_echo.h"

#include <utility>

namespace sluice::interop::demo {

void ChannelEcho::pump() {
  while (send_waiting()) {
    auto message = association_.poll_message();
    close_reset_channels();
    if (!message) return;
    waiting_ = answer(std::move(*message));
  }
}

bool ChannelEcho::send_waiting() {
  if (!waiting_) return true;
  const auto status = association_.send(waiting_->message, waiting_->reliability);
  if (status == SendStatus::would_block) return false;
  if (is_user_message(waiting_->message.protocol)) {
    if (status == SendStatus::sent) {
      ++statistics_.messages_echoed;
      statistics_.bytes_echoed += waiting_->message.data.size();
    } else {
      ++statistics_.messages_dropped;
    }
  }
  waiting_.reset();
  return true;
}

std::optional<ChannelEcho::Outgoing> ChannelEcho::answer(SctpMessage message) {
  if (message.protocol == PayloadProtocol::dcep) return open_channel(message);
  const auto channel = channels_.find(message.stream);
  const bool too_large = max_message_size_ != 0 && message.data.size() > max_message_size_;
  if (channel == channels_.end() || !is_user_message(message.protocol) || too_large) {
    ++statistics_.messages_dropped;
    return std::nullopt;
  }
  return Outgoing{.message = std::move(message), .reliability = channel->second};
}

// RFC 8832 section 6: the answer to a DATA_CHANNEL_OPEN is a DATA_CHANNEL_ACK on the same stream,
// reliable and ordered. An OPEN for a stream in use is an error: the channel keeps its parameters.
std::optional<ChannelEcho::Outgoing> ChannelEcho::open_channel(const SctpMessage& message) {
  const auto open = read_channel_open(message.data);
  if (!open || channels_.contains(message.stream)) {
    ++statistics_.messages_dropped;
    return std::nullopt;
  }
  channels_.emplace(message.stream, open->reliability);
  ++statistics_.channels_opened;
  statistics_.last_label = open->label;
  return Outgoing{.message = {.stream = message.stream,
                              .protocol = PayloadProtocol::dcep,
                              .data = write_channel_ack()},
                  .reliability = {}};
}

// RFC 8831 section 6.7: the peer closes a channel by resetting its stream; the answer is a reset of
// our stream.
void ChannelEcho::close_reset_channels() {
  while (const auto reset = association_.poll_stream_reset()) {
    if (channels_.erase(reset->stream) == 0) continue;
    association_.reset_stream(reset->stream);
    ++statistics_.channels_closed;
  }
}

}  // namespace sluice::interop::demo
