#include "sfu/forwarding/track.h"

#include <algorithm>
#include <utility>

namespace sluice::interop::sfu {

Track::Track(const PublisherPeer& publisher, PublishedTrack agreed, const TrackOptions& options)
    : agreed_(std::move(agreed)) {
  layers_.reserve(std::max<std::size_t>(agreed_.rids.size(), 1));
  for (const std::string& rid : agreed_.rids) {
    layers_.emplace_back(publisher, agreed_, rid, options);
  }
  if (layers_.empty()) layers_.emplace_back(publisher, agreed_, std::string{}, options);
}

std::optional<std::size_t> Track::index_of(std::string_view rid) const {
  const auto found = std::ranges::find(agreed_.rids, rid);
  if (found == agreed_.rids.end()) return std::nullopt;
  return static_cast<std::size_t>(found - agreed_.rids.begin());
}

// RFC 8852 section 3: a packet tells its RID until the receiver knows the SSRC by it.
Layer* Track::layer_of(const rtp::Packet& packet) {
  if (agreed_.rids.empty()) return &layers_.front();
  const auto rid = read_element(packet, agreed_.rid_extension, rtp::read_rid);
  const auto index = rid ? index_of(*rid) : std::nullopt;
  return index ? &layers_[*index] : nullptr;
}

bool Track::on_rtp(Layer& layer, rtp::Packet packet, rtp::MutableBytes bytes, dtls::Instant now) {
  if (!agreed_.payload_types.at(rtp::number(packet.payload_type)) ||
      !rtp::replace_extension_ids(bytes, agreed_.extension_ids)) {
    return false;
  }
  packet.payload_type = format().payload_type;
  rtp::set_payload_type(bytes, packet.payload_type);
  layer.on_rtp(packet, bytes, now);
  return true;
}

void Track::forward(MediaPort& port, dtls::Instant now) {
  if (tap_ != nullptr) tap_->on_burst(*this);
  for (Layer& layer : layers_) layer.forward(port, now);
}

void Track::handle_timeout(MediaPort& port, dtls::Instant now) {
  for (Layer& layer : layers_) layer.handle_timeout(port, now);
}

// The packet may be of a layer that the stream has left since.
void Track::repeat(MediaPort& port, const ice_lite::Forward& receiver, rtp::SequenceNumber number,
                   dtls::Instant now) {
  const auto origin = receiver.stream->origin_of(number);
  std::optional<rtp::Packet> packet;
  for (auto layer = layers_.begin(); origin && !packet && layer != layers_.end(); ++layer) {
    packet = layer->cached(*origin);
  }
  if (!packet) {
    ++port.counters.not_cached;
    return;
  }
  const auto before = port.counters.forwarded.packets;
  ice_lite::forward_again(port.server, number, *packet, receiver, now, port.outlet,
                          port.counters.forwarded);
  port.counters.repeated += port.counters.forwarded.packets - before;
}

}  // namespace sluice::interop::sfu
