// All that an Environment's connections send and receive, for who debugs, records or draws.
#pragma once

#include <cstdint>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/path.h>
#include <sluice/dtls/record_header.h>
#include <sluice/dtls/statistics.h>

namespace sluice::dtls {

// Tells the connections of one Environment apart, which counts them from 1; Connection::number().
enum class ConnectionNumber : std::uint64_t {};

enum class Direction : std::uint8_t { received, sent };

// Spans are valid during the call alone. `time` is that of the input; what is polled or sealed has
// the time of the last input before it.

struct ObservedDatagram {
  ConnectionNumber connection;
  Direction direction;
  PathId path;
  Instant time;
  Bytes bytes;  // as on the wire
};

struct ObservedRecord {
  ConnectionNumber connection;
  Direction direction;
  Instant time;
  ContentType type;
  Epoch epoch;
  SequenceNumber sequence_number;
  Bytes contents;  // in plaintext
};

// Of a record, a part of one, or a whole datagram: counted in Statistics too.
struct ObservedDiscard {
  ConnectionNumber connection{};
  Instant time{};
  Discard reason{};
};

// A received datagram is told first, then its records and what is discarded of them; a sent one
// after its records. A record that came before its keys is told when they have come. What
// Connection::seal() has made counts as sent.
//
// Whoever observes sees all that is said, in plaintext: treat what you keep of it as you treat the
// application's own data. Keys are told to a KeyLog alone.
//
// Called during inputs, polls and seal(), by the thread that makes them; must not call into a
// connection of that Environment. Nothing that it does reaches a session, and without one nothing
// but a comparison with null is done. Outlives the Environment.
class PacketObserver {
 public:
  PacketObserver() = default;
  PacketObserver(const PacketObserver&) = delete;
  PacketObserver& operator=(const PacketObserver&) = delete;
  virtual ~PacketObserver() = default;

  virtual void on_datagram(const ObservedDatagram& /*datagram*/) {}
  virtual void on_record(const ObservedRecord& /*record*/) {}
  virtual void on_discard(const ObservedDiscard& /*discard*/) {}
};

}  // namespace sluice::dtls
