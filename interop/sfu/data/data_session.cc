#include "sfu/data/data_session.h"

#include <algorithm>
#include <utility>

#include "common/sdp/data_section.h"

namespace sluice::interop::sfu {
namespace {

using data_channel::Errc;

// Whether a packet is of SCTP between two ports (RFC 9260 section 3): SCTP drops all others without
// a word.
bool is_between(dtls::Bytes packet, std::uint16_t port) {
  constexpr std::size_t kCommonHeaderAndChunk = 16;
  if (packet.size() < kCommonHeaderAndChunk) return false;
  const auto number = [packet](std::size_t at) {
    return std::to_integer<unsigned>(packet[at]) << 8 | std::to_integer<unsigned>(packet[at + 1]);
  };
  return number(0) == port && number(2) == port;
}

OfferedSection section_of(const MovedData& moved) {
  OfferedSection section;
  section.kind = SectionKind::data;
  section.sctp_port = moved.port;
  section.max_message_size = moved.max_message_size;
  return section;
}

}  // namespace

DataSession::DataSession(ice_lite::SessionHandle session, const OfferedSection& section,
                         dtls::Role own_role, RoomData& room, dtls::Instant now)
    : session_(session),
      room_(room),
      options_(association_options(section, own_role,
                                   {.max_message_size = kMaxDataMessage,
                                    .max_channels = kDataStreams,
                                    .send_buffer = kMaxDataBuffered,
                                    .receive_buffer = kMaxDataMessage,
                                    .max_buffered = kMaxDataBuffered})),
      peer_init_(section.sctp_init) {
  if (!peer_init_.empty()) make_association(true, now);
}

DataSession::DataSession(ice_lite::SessionHandle session, const MovedData& moved, RoomData& room,
                         dtls::Instant now)
    : DataSession(session, section_of(moved), moved.role, room, now) {
  start(now);
  if (!association_) return;
  for (const MovedData::Channel& channel : moved.channels) {
    // As one that both sides know of: nothing is sent.
    if (!association_->open_negotiated(channel.id, channel.options, now)) continue;
    channels_.insert_or_assign(channel.id,
                               Channel{.options = channel.options, .is_own = channel.is_own});
  }
}

std::optional<MovedData> DataSession::moved() const {
  if (is_started_ && !association_) return std::nullopt;
  MovedData moved{.role = options_.role,
                  .port = options_.local_port,
                  .max_message_size = options_.peer_max_message_size};
  for (const auto& [id, channel] : channels_) {
    if (channel.is_closing) continue;
    moved.channels.push_back({.id = id, .options = channel.options, .is_own = channel.is_own});
  }
  return moved;
}

void DataSession::make_association(bool waits, dtls::Instant now) {
  options_.wait_for_start = waits;
  auto made = data_channel::Association::make(options_, now);
  if (made) association_.emplace(*std::move(made));
}

dtls::Bytes DataSession::local_init() const {
  return association_ ? association_->local_init() : dtls::Bytes{};
}

// ---- the association

void DataSession::start(dtls::Instant now) {
  if (std::exchange(is_started_, true)) return;
  due_ = now;
  if (association_) {
    start_association(*association_, peer_init_, now);
  } else {
    make_association(false, now);
  }
  peer_init_ = {};
}

std::optional<DataDrop> DataSession::handle_packet(dtls::Bytes packet, dtls::Instant now) {
  if (!is_between(packet, options_.local_port)) return DataDrop::malformed;
  start(now);
  if (!association_) return DataDrop::ended;
  association_->handle_packet(packet, now);
  due_ = now;
  return std::nullopt;
}

bool DataSession::handle_timeout(dtls::Instant now) {
  if (!association_ || !due_) return false;
  // The outputs were drained after the last input.
  due_ = association_->next_timeout();
  if (!due_ || now < *due_) return false;
  association_->handle_timeout(now);
  return true;
}

std::optional<data_channel::Event> DataSession::poll_event() {
  return association_ ? association_->poll_event() : std::nullopt;
}

std::optional<dtls::Bytes> DataSession::poll_transmit() {
  return association_ ? association_->poll_transmit() : std::nullopt;
}

std::vector<std::string> DataSession::end() {
  std::vector<std::string> labels;
  for (auto& [id, channel] : channels_) {
    if (!channel.is_own) labels.push_back(std::move(channel.options.label));
  }
  channels_.clear();
  association_.reset();
  is_started_ = true;
  is_established_ = false;
  return labels;
}

// ---- channels

std::size_t DataSession::count(bool is_own) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      channels_, [is_own](const auto& entry) { return entry.second.is_own == is_own; }));
}

std::optional<DataDrop> DataSession::on_opened(const data_channel::ChannelOpened& opened,
                                               dtls::Instant now) {
  std::optional<DataDrop> refused;
  if (std::max(opened.options.label.size(), opened.options.protocol.size()) > kMaxDataLabel) {
    refused = DataDrop::long_label;
  } else if (count(false) == kMaxDataChannels) {
    refused = DataDrop::too_many_channels;
  }
  if (refused) {
    static_cast<void>(association_->close_channel(opened.id, now));
    return refused;
  }
  close_own(opened.options.label, now);
  channels_.insert_or_assign(opened.id, Channel{.options = opened.options});
  return std::nullopt;
}

std::optional<std::string> DataSession::on_closed(data_channel::ChannelId id) {
  const auto closed = channels_.extract(id);
  if (closed.empty() || closed.mapped().is_own) return std::nullopt;
  return std::move(closed.mapped().options.label);
}

const data_channel::ChannelOptions* DataSession::find(data_channel::ChannelId id) const {
  const auto found = channels_.find(id);
  return found == channels_.end() ? nullptr : &found->second.options;
}

std::optional<data_channel::ChannelId> DataSession::channel_like(
    const data_channel::ChannelOptions& channel, dtls::Instant now) {
  const auto known = std::ranges::find_if(channels_, [&](const auto& entry) {
    return !entry.second.is_closing && entry.second.options.label == channel.label;
  });
  if (known != channels_.end()) return known->first;
  if (count(true) == kMaxDataChannels) return std::nullopt;
  const auto opened = association_->open(channel, now);
  if (!opened) return std::nullopt;
  channels_.insert_or_assign(*opened, Channel{.options = channel, .is_own = true});
  return *opened;
}

std::optional<DataDrop> DataSession::send(const data_channel::ChannelOptions& channel,
                                          data_channel::MessageType type, dtls::Bytes data,
                                          dtls::Instant now) {
  const auto id = channel_like(channel, now);
  if (!id) return DataDrop::no_channel;
  due_ = now;
  const auto sent = association_->send(*id, type, data, now);
  if (sent) return std::nullopt;
  switch (sent.error().code) {
    case Errc::queue_full:
      return DataDrop::slow_receiver;
    case Errc::message_too_large:
      return DataDrop::too_large_for_receiver;
    default:
      return DataDrop::closed_channel;
  }
}

bool DataSession::close_own(std::string_view label, dtls::Instant now) {
  const auto own = std::ranges::find_if(channels_, [label](const auto& entry) {
    return entry.second.is_own && !entry.second.is_closing && entry.second.options.label == label;
  });
  if (own == channels_.end()) return false;
  own->second.is_closing = true;
  due_ = now;
  static_cast<void>(association_->close_channel(own->first, now));
  return true;
}

// ---- state

std::string_view DataSession::state() const {
  if (is_established_) return "established";
  if (!is_started_) return "waiting";
  return association_ ? "connecting" : "ended";
}

data_channel::Statistics DataSession::statistics() const {
  return association_ ? association_->statistics() : data_channel::Statistics{};
}

}  // namespace sluice::interop::sfu
