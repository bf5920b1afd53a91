#include "scenario/sfu/data_world.h"

#include <sluice/data_channel/sctp_init.h>

#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

#include "support/usrsctp_clock.h"

namespace sluice::interop::sfu {
namespace {

constexpr std::size_t kData = 2;  // the index of the data section

void must_do(const data_channel::Result<void>& result) {
  if (!result) throw std::runtime_error(std::string{to_string(result.error().code)});
}

dtls::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

std::vector<std::string> DataPeer::texts() const {
  std::vector<std::string> found;
  for (const auto& message : end.messages) {
    found.emplace_back(reinterpret_cast<const char*>(message.data.data()), message.data.size());
  }
  return found;
}

DataWorld::DataWorld(SfuOptions options, const Workplace& workplace)
    : SfuWorld(std::move(options), workplace) {
  test::set_usrsctp_time(now);
}

std::string DataWorld::with_data(const std::string& offer, const std::string& lines) {
  const std::string group = "a=group:BUNDLE 0 1";
  std::string result = offer;
  result.insert(result.find(group) + group.size(), " 2");
  return result +
         "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\na=sctp-port:5000\r\n" +
         lines;
}

DataPeer& DataWorld::data_publisher(const DataOffer& offer, const std::string& room) {
  return join(publisher_offer(), offer, room, true);
}
DataPeer& DataWorld::data_viewer(const DataOffer& offer, const std::string& room) {
  return join(viewer_offer(), offer, room, false);
}

DataPeer& DataWorld::join(const std::string& offer, const DataOffer& data, const std::string& room,
                          bool publishes) {
  DataPeer& joining = data_[peers_.size()];
  joining.index = peers_.size();
  joining.has_sctp_init = data.has_sctp_init;
  joining.end.association = data_channel::Association::make({.role = dtls::Role::client,
                                                             .max_message_size = 65536,
                                                             .receive_buffer = 65536,
                                                             .wait_for_start = true},
                                                            now)
                                .value();
  if (!data.first_message.empty()) {
    auto& association = joining.association();
    const auto id = association.open({.label = "early"}, now).value();
    must_do(
        association.send(id, data_channel::MessageType::text, bytes_of(data.first_message), now));
  }
  std::string lines = "a=max-message-size:" + std::to_string(data.max_message_size) + "\r\n";
  if (data.has_sctp_init) {
    lines +=
        "a=sctp-init:" + data_channel::write_sctp_init(joining.association().local_init()) + "\r\n";
  }
  const std::string sdp = with_data(offer, lines);
  connect(publishes ? publish(sdp, room) : watch(sdp, room));
  if (!joining.end.established) throw std::runtime_error("no association");
  return joining;
}

bool DataWorld::act() {
  test::set_usrsctp_time(now);
  bool any = false;
  for (auto& [index, data] : data_) {
    // Otherwise its offer is not answered yet.
    if (index < peers_.size()) any |= act(data, *peers_[index]);
  }
  return any;
}

bool DataWorld::act(DataPeer& data, Peer& peer) {
  if (!peer.client->connected_at) return false;
  auto& association = data.association();
  if (!std::exchange(data.is_started, true)) {
    std::optional<dtls::Buffer> init;
    if (const auto line = peer.answer.media.at(kData).attributes.find("sctp-init")) {
      init = data_channel::read_sctp_init(*line);
    }
    if (init.has_value() != data.has_sctp_init) throw std::runtime_error("a=sctp-init");
    must_do(association.start(init ? std::optional<dtls::Bytes>(*init) : std::nullopt, now));
  }
  for (auto& packet : std::exchange(peer.client->data, {})) association.handle_packet(packet, now);
  const auto due = association.next_timeout();
  if (due && *due <= now) association.handle_timeout(now);
  data.end.take_events();
  bool any = false;
  while (const auto packet = association.poll_transmit()) {
    any |= peer.client->send_data({packet->begin(), packet->end()});
  }
  return any;
}

data_channel::ChannelId DataWorld::open_like(DataPeer& data,
                                             const data_channel::ChannelOptions& options) {
  const auto id = data.association().open(options, now).value();
  settle();
  return id;
}

void DataWorld::say(DataPeer& data, data_channel::ChannelId channel, std::string_view text,
                    data_channel::MessageType type) {
  must_do(data.association().send(channel, type, bytes_of(text), now));
  settle();
}

void DataWorld::close(DataPeer& data, data_channel::ChannelId channel) {
  must_do(data.association().close_channel(channel, now));
  settle();
}

void DataWorld::send_packet(Peer& peer, const dtls::Buffer& packet) {
  if (!peer.client->send_data(packet)) throw std::runtime_error("data can't be sent");
  settle();
}

std::uint64_t DataWorld::dropped() const {
  return std::accumulate(data().dropped.begin(), data().dropped.end(), std::uint64_t{0});
}

const DataSession* DataWorld::session(const DataPeer& data) const {
  const Session* found = sfu.find(peers_.at(data.index)->id);
  return found == nullptr ? nullptr : found->data.get();
}

}  // namespace sluice::interop::sfu
