// What publishers and viewers go on from in another process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sluice/dtls/clock.h>
#include <sluice/rtp/forwarded_stream.h>
#include <sluice/rtp/numbers.h>
#include <sluice/rtp/reception.h>

#include "sfu/forwarding/source_clock.h"
#include "sfu/signalling/negotiation.h"

namespace sluice::interop::sfu {

class Publisher;

// The packets that can be sent again do not move, nor which are missing: what a viewer asks for
// again over the move counts as not_cached.
struct MovedLayer {
  std::optional<rtp::Ssrc> source = {};
  rtp::ReceptionState reception = {};
  std::optional<SourceClock::State> clock = {};
  std::uint64_t bytes = 0;
  std::uint64_t bits_per_second = 0;
  std::uint64_t peak_rate = 0;  // RateMeter::peak()
};

struct MovedTrack {
  PublishedTrack agreed;
  std::vector<MovedLayer> layers = {};  // those of the track
};

struct MovedPublisher {
  // Its PublisherNumber, of a server with several workers: not part of what is stored.
  std::uint64_t number = 0;
  rtp::Ssrc own_ssrc{};
  std::string stream_id = {};  // of its StreamOrigin: it publishes here
  dtls::Duration unheard{};    // since the last packet
  std::vector<MovedTrack> tracks = {};
};

// What a stream shows, of the publisher of its seat.
struct ShownLayer {
  std::size_t track = 0;
  std::size_t layer = 0;
};

struct MovedStream {
  ViewedStream agreed;
  rtp::ForwardedStreamState stream = {};
  std::string asked_rid = {};
  std::optional<ShownLayer> shown = {};
};

struct MovedViewer {
  std::vector<MovedStream> streams = {};
  // The publishers, by their places among all moved sessions. Empty: the seat is free.
  std::vector<std::optional<std::size_t>> seats = {};
  rtp::SequenceNumber next_transport_number{};
  // That it is for, and then bound to the publisher of its seat. Empty: none.
  std::string node = {};
};

// The place of a publisher among the moved sessions; empty: it does not move.
using PlaceOfPublisher = std::function<std::optional<std::size_t>(const Publisher&)>;
// The publisher in such a place; null: it did not move.
using PublisherInPlace = std::function<Publisher*(std::size_t)>;

}  // namespace sluice::interop::sfu
