#include "sfu/data/data_hub.h"

#include <algorithm>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include <sluice/dtls/connection.h>

#include "common/sdp/data_section.h"

namespace sluice::interop::sfu {
namespace {

// Bytes of a message in one packet of data_channel::Options::mtu, without its headers.
constexpr std::size_t kPacketBytes = 1024;
// DATA_CHANNEL_OPEN, and later the reset.
constexpr std::size_t kPacketsOfChannel = 2;

}  // namespace

std::unique_ptr<DataSession> DataHub::join(ice_lite::SessionHandle session, const Offer& offer,
                                           dtls::Role own_role, RoomData& room, dtls::Instant now) {
  const OfferedSection* section = data_section(offer);
  if (section == nullptr) return nullptr;
  auto joined = std::make_unique<DataSession>(session, *section, own_role, room, now);
  room.members.push_back(joined.get());
  return joined;
}

std::unique_ptr<DataSession> DataHub::restore(ice_lite::SessionHandle session,
                                              const MovedData& moved, RoomData& room,
                                              dtls::Instant now) {
  auto restored = std::make_unique<DataSession>(session, moved, room, now);
  room.members.push_back(restored.get());
  for (const MovedData::Channel& channel : moved.channels) {
    if (restored->find(channel.id) == nullptr) continue;
    RoomData::Label& label = room.labels[channel.options.label];
    if (channel.is_own) {
      label.is_relayed = true;
    } else {
      ++label.openers;
      if (bridge_ != nullptr) bridge_->open_label(room.room, channel.options.label);
    }
  }
  drain(*restored, now);
  return restored;
}

void DataHub::leave(DataSession& session, dtls::Instant now) {
  std::erase(session.room().members, &session);
  end(session, now);
}

void DataHub::start(DataSession& session, dtls::Instant now) {
  session.start(now);
  drain(session, now);
}

void DataHub::handle_packet(DataSession* session, dtls::Bytes packet, dtls::Instant now) {
  if (session == nullptr) return drop(DataDrop::not_offered);
  if (const auto why = session->handle_packet(packet, now)) return drop(*why);
  drain(*session, now);
}

void DataHub::handle_timeout(DataSession& session, dtls::Instant now) {
  if (session.handle_timeout(now)) drain(session, now);
}

void DataHub::drain(DataSession& session, dtls::Instant now) {
  while (const auto event = session.poll_event()) on_event(session, *event, now);
  send_packets(session);
}

// Each packet in one DTLS record (RFC 8261 section 4).
void DataHub::send_packets(DataSession& session) {
  while (const auto packet = session.poll_transmit()) {
    const dtls::MutableBytes room = port_.outlet.room(packet->size() + dtls::kSealOverhead);
    const auto sent = port_.server.seal_data(session.session(), *packet, room);
    if (sent) {
      port_.outlet.commit(sent->size, sent->path);
    } else {
      drop(DataDrop::not_sent);
    }
  }
}

void DataHub::on_event(DataSession& session, const data_channel::Event& event, dtls::Instant now) {
  if (const auto* message = std::get_if<data_channel::MessageReceived>(&event)) {
    relay(session, *message, now);
  } else if (const auto* opened = std::get_if<data_channel::ChannelOpened>(&event)) {
    if (const auto why = session.on_opened(*opened, now)) return drop(*why);
    ++session.room().labels[opened->options.label].openers;
    if (bridge_ != nullptr) bridge_->open_label(session.room().room, opened->options.label);
  } else if (const auto* closed = std::get_if<data_channel::ChannelClosed>(&event)) {
    if (const auto label = session.on_closed(closed->id)) release(session.room(), *label, now);
  } else if (std::holds_alternative<data_channel::Established>(event)) {
    session.on_established();
  } else if (std::holds_alternative<data_channel::Closed>(event)) {
    end(session, now);
  }
}

void DataHub::relay(DataSession& from, const data_channel::MessageReceived& message,
                    dtls::Instant now) {
  RoomData& room = from.room();
  ++counters_.received;
  const data_channel::ChannelOptions* channel = from.find(message.id);
  const auto label = channel != nullptr ? room.labels.find(channel->label) : room.labels.end();
  if (label == room.labels.end()) return drop(DataDrop::closed_channel);
  if (!from.messages.take(1, limits_.messages_per_second, now)) return drop(DataDrop::session_rate);
  if (!distribute(room, label->second, &from, *channel, message.type, message.data, now)) return;
  ++counters_.relayed;
  if (bridge_ == nullptr) return;
  const std::size_t failed = bridge_->pass_on({.room = room.room,
                                               .channel = *channel,
                                               .type = message.type,
                                               .data = {message.data.begin(), message.data.end()}});
  for (std::size_t i = 0; i < failed; ++i) drop(DataDrop::worker_busy);
}

bool DataHub::distribute(RoomData& room, RoomData::Label& label, const DataSession* from,
                         const data_channel::ChannelOptions& channel,
                         data_channel::MessageType type, dtls::Bytes data, dtls::Instant now) {
  const std::size_t others = room.members.size() - (from != nullptr ? 1 : 0);
  const std::size_t packets =
      others * (1 + data.size() / kPacketBytes + (label.is_relayed ? 0 : kPacketsOfChannel));
  const std::size_t least = others * (1 + kPacketsOfChannel);
  if (!room.packets.take(packets, std::max(limits_.room_packets_per_second, least), now)) {
    return drop(DataDrop::room_rate), false;
  }
  if (!packets_.take(packets, std::max(limits_.server_packets_per_second, least), now)) {
    return drop(DataDrop::server_rate), false;
  }
  label.is_relayed = true;
  for (DataSession* to : room.members) {
    if (to == from || !to->is_established()) continue;
    if (const auto why = to->send(channel, type, data, now)) {
      drop(*why);
    } else {
      ++counters_.sent;
    }
    send_packets(*to);
  }
  return true;
}

void DataHub::take(RoomData& room, const CrossedMessage& message, dtls::Instant now) {
  // Its label may have ended meanwhile.
  if (!bridge_->has_label(room.room, message.channel.label)) return;
  distribute(room, room.labels[message.channel.label], nullptr, message.channel, message.type,
             message.data, now);
}

void DataHub::end(DataSession& session, dtls::Instant now) {
  auto& dropped = counters_.dropped_by_associations;
  std::ranges::transform(dropped, session.statistics().dropped, dropped.begin(), std::plus{});
  for (const std::string& label : session.end()) release(session.room(), label, now);
}

void DataHub::release(RoomData& room, const std::string& label, dtls::Instant now) {
  const auto found = room.labels.find(label);
  if (found == room.labels.end()) return;
  --found->second.openers;
  if (bridge_ != nullptr) bridge_->close_label(room.room, label);
  close_label(room, label, now);
}

// Where no peer has a channel with it any more.
void DataHub::close_label(RoomData& room, const std::string& label, dtls::Instant now) {
  const auto found = room.labels.find(label);
  if (found->second.openers > 0) return;
  if (bridge_ != nullptr && bridge_->has_label(room.room, label)) return;
  const bool is_relayed = found->second.is_relayed;
  room.labels.erase(found);
  if (!is_relayed) return;
  for (DataSession* each : room.members) {
    if (each->close_own(label, now)) send_packets(*each);
  }
}

void DataHub::sync(RoomData& room, dtls::Instant now) {
  std::vector<std::string> labels;
  labels.reserve(room.labels.size());
  for (const auto& [label, state] : room.labels) labels.push_back(label);
  for (const std::string& label : labels) close_label(room, label, now);
}

}  // namespace sluice::interop::sfu
