// Echoes the messages of data channels.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "demo/data_channel.h"
#include "demo/sctp_association.h"

namespace sluice::interop::demo {

struct ChannelStatistics {
  std::uint32_t channels_opened = 0;
  std::uint32_t channels_closed = 0;
  std::uint64_t messages_echoed = 0;
  std::uint64_t bytes_echoed = 0;
  std::uint64_t messages_dropped = 0;  // no open channel, unknown protocol, too large
  std::string last_label;              // of the channel opened last
};

// The data channels of one association, which outlives this object. Not thread-safe.
class ChannelEcho {
 public:
  // `max_message_size`: the largest message in bytes that the peer accepts; 0: any size.
  ChannelEcho(SctpAssociation& association, std::uint64_t max_message_size)
      : association_(association), max_message_size_(max_message_size) {}

  // Reads the messages that have arrived and answers them. Call it after each input of the
  // association. While SCTP can't take an answer, nothing more is read, so the receive window stops
  // the peer.
  void pump();

  // By stream.
  [[nodiscard]] const std::map<std::uint16_t, Reliability>& channels() const { return channels_; }
  // Channels that the peer has opened over an earlier association, which this one has restarted
  // (RFC 9260 section 5.2): it does not open them again.
  void reopen(std::map<std::uint16_t, Reliability> channels) { channels_ = std::move(channels); }

  [[nodiscard]] const ChannelStatistics& statistics() const { return statistics_; }
  [[nodiscard]] std::size_t open_channels() const { return channels_.size(); }

 private:
  struct Outgoing {
    SctpMessage message;
    Reliability reliability;
  };

  [[nodiscard]] std::optional<Outgoing> answer(SctpMessage message);
  std::optional<Outgoing> open_channel(const SctpMessage& message);
  // Sends the waiting answer, if there is one. False: SCTP can't take it yet.
  bool send_waiting();
  void close_reset_channels();

  SctpAssociation& association_;
  std::uint64_t max_message_size_;
  std::map<std::uint16_t, Reliability> channels_;  // by stream, so at most kMaxStreams
  std::optional<Outgoing> waiting_;
  ChannelStatistics statistics_;
};

}  // namespace sluice::interop::demo
