// A track of a publisher: one layer, or several of simulcast.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <sluice/rtp/extension.h>
#include <sluice/rtp/packet.h>

#include "sfu/forwarding/layer.h"
#include "sfu/forwarding/media_port.h"
#include "sfu/forwarding/publisher_tap.h"
#include "sfu/signalling/negotiation.h"

namespace sluice::interop::sfu {

// What `read` finds in an element of the packet's header extension. Empty: it is not there, or
// malformed.
template <class Value>
std::optional<Value> read_element(const rtp::Packet& packet, std::optional<rtp::ExtensionId> id,
                                  rtp::Result<Value> (*read)(rtp::Bytes)) {
  if (!id) return std::nullopt;
  const auto element = rtp::find_extension(packet.extension, *id);
  if (!element || !*element) return std::nullopt;
  const auto value = read(**element);
  return value ? std::optional(*value) : std::nullopt;
}

class Track {
 public:
  // `publisher` outlives it.
  Track(const PublisherPeer& publisher, PublishedTrack agreed, const TrackOptions& options);

  // ---- from the publisher

  // By its RID. Null: it is of no layer.
  Layer* layer_of(const rtp::Packet& packet);
  // `packet` is what rtp::read_packet() finds in `bytes`, of a layer of this track. They get the
  // server's payload type and header extension IDs, and stay where they are until forward(). False:
  // the payload type was not agreed on, or the header extension is malformed.
  bool on_rtp(Layer& layer, rtp::Packet packet, rtp::MutableBytes bytes, dtls::Instant now);
  // Gets what comes from now on; null: nobody does. It outlives its use.
  void set_tap(PublisherTap* tap) { tap_ = tap; }
  // Sends what has come in this turn.
  void forward(MediaPort& port, dtls::Instant now);
  void handle_timeout(MediaPort& port, dtls::Instant now);

  // ---- for viewers

  // Sends the packet that the receiver had as `number` again.
  void repeat(MediaPort& port, const ice_lite::Forward& receiver, rtp::SequenceNumber number,
              dtls::Instant now);

  // ---- state

  [[nodiscard]] const PublishedTrack& agreed() const { return agreed_; }
  [[nodiscard]] const Format& format() const { return *agreed_.format; }
  // Those of simulcast in the order of the offer. Their addresses stay.
  [[nodiscard]] std::vector<Layer>& layers() { return layers_; }
  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }
  // Empty: there is no such layer of simulcast.
  [[nodiscard]] std::optional<std::size_t> index_of(std::string_view rid) const;

 private:
  PublishedTrack agreed_;
  std::vector<Layer> layers_;
  PublisherTap* tap_ = nullptr;
};

}  // namespace sluice::interop::sfu
