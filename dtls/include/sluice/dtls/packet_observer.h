// Observes everything that an Environment's connections send and receive, for debugging.
#pragma once

#include <cstdint>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/path.h>
#include <sluice/dtls/record_header.h>
#include <sluice/dtls/statistics.h>

namespace sluice::dtls {

// Numbers the connections of an Environment from 1; see Connection::number().
enum class ConnectionNumber : std::uint64_t {};

enum class Direction : std::uint8_t { received, sent };

// Spans are valid only during the call. `time` is the time of the input; for poll_transmit() and
// seal() that of the last input before.

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

// A record, a part of one, or a datagram was dropped; Statistics counts it, too.
struct ObservedDiscard {
  ConnectionNumber connection{};
  Instant time{};
  Discard reason{};
};

// A received datagram is reported first, then its records and discards; a sent datagram is reported
// after its records. A record that arrives before its keys is reported when they exist. A record of
// Connection::seal() counts as sent.
//
// An observer receives all traffic in plaintext: protect what it stores as you protect the
// application's data. Keys go only to a KeyLog.
//
// Called during inputs, polls and seal(), on the calling thread; it must not call into a connection
// of that Environment. It cannot affect a connection. Without an observer each call site costs one
// comparison with null. Must outlive the Environment.
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
