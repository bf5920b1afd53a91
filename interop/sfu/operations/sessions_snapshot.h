// The rooms and sessions of a server at a moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/dtls/clock.h>
#include <sluice/rtp/clock.h>

#include "sfu/operations/counters.h"
#include "sfu/sfu.h"

namespace sluice::interop::sfu {

struct LayerSnapshot {
  std::string rid;
  std::uint64_t packets;
  std::uint64_t bytes;
  std::uint64_t bits_per_second;
  std::int64_t lost;
  rtp::Duration jitter;
  std::size_t receivers;
};

struct TrackSnapshot {
  SectionKind kind;
  std::string_view codec;
  std::vector<LayerSnapshot> layers;
};

struct StreamSnapshot {
  SectionKind kind;
  std::size_t seat;
  std::optional<std::string_view> codec;  // empty: it has no track
  std::optional<std::string> rid;         // of what is shown; empty: nothing
  std::uint64_t packets;
  std::uint64_t bytes;
  std::uint8_t fraction_lost;  // of 256
  std::optional<rtp::Duration> round_trip;
};

struct DataSnapshot {
  std::string_view state;
  std::size_t channels;
  data_channel::Statistics statistics;
};

struct SessionSnapshot {
  // Of a server with several workers.
  std::optional<std::size_t> worker;
  PublisherNumber number;  // of a publisher
  std::string id;          // its first eight digits
  std::string room;
  std::string address;
  std::string_view role;  // role_of()
  bool is_publisher;
  bool is_connected;
  dtls::Duration age;
  std::vector<TrackSnapshot> tracks;    // of a publisher
  std::vector<StreamSnapshot> streams;  // of a viewer
  std::optional<DataSnapshot> data;
};

// A publisher of another server.
struct PulledSnapshot {
  // As those of a session.
  std::optional<std::size_t> worker;
  PublisherNumber number;
  std::string stream;
  std::vector<std::string> path;
  std::vector<TrackSnapshot> tracks;
};

struct RoomSnapshot {
  std::string name;
  std::size_t publishers;
  std::size_t viewers;
  std::vector<PulledSnapshot> pulled = {};
};

struct SessionsSnapshot {
  std::vector<RoomSnapshot> rooms = {};
  std::vector<SessionSnapshot> sessions = {};
  Counters counters = {};
  Mirrors::Receivers mirrored = {};
};

// Copies, and makes no text: the media waits meanwhile.
SessionsSnapshot take_snapshot(const Sfu& sfu, dtls::Instant now);
// Of all workers of a server, one or more.
SessionsSnapshot joined(std::vector<SessionsSnapshot> parts);

}  // namespace sluice::interop::sfu
