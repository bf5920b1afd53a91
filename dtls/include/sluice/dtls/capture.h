// A recorder of an Environment's connections, into a file for Wireshark.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/dtls/key_log.h>
#include <sluice/dtls/packet_observer.h>
#include <sluice/dtls/pcapng.h>

namespace sluice::dtls {

struct CaptureOptions {
  // What a clock on the wall shows at Instant{}: microseconds since 1970-01-01 00:00 UTC.
  std::chrono::microseconds epoch = {};
  struct Path {
    UdpEndpoint own;
    UdpEndpoint peer;
  };
  // The addresses of a connection's path. By default they are made up: port 4433 of the two ends,
  // the peer's address (of 2001:db8::/32, RFC 3849) from the numbers of connection and path.
  std::function<Path(ConnectionNumber, PathId)> addresses = {};
};

// To be set as both Environment::Options::packet_observer and key_log, or as the first alone, which
// leaves the secrets out. With them whoever has the file can read and forge all that is in it.
//
//   dtls::Capture capture;
//   auto environment = dtls::Environment::make({.key_log = &capture, .packet_observer = &capture});
//   // after inputs, or now and then
//   file << capture.take();
//
// Secrets stand before the packets that they decrypt; what was discarded of a datagram stands in
// its comment. Other packets of the same paths, SRTP say, may be added with on_datagram().
class Capture final : public PacketObserver, public KeyLog {
 public:
  explicit Capture(CaptureOptions options = {});

  // What has been recorded since the last call, for the caller to append to a file; all of it is
  // kept until then. Not to be called from within an input.
  Buffer take();

  void on_datagram(const ObservedDatagram& datagram) override;
  void on_discard(const ObservedDiscard& discard) override;
  void add_line(std::string_view line) override;

 private:
  // Keys come while their datagram is being handled, and have to stand before it.
  struct Held {
    ConnectionNumber connection;
    Direction direction;
    PathId path;
    Instant time;
    Buffer bytes;
    std::string comment;
  };
  void write_held();

  CaptureOptions options_;
  PcapngWriter writer_;
  std::optional<Held> held_;
};

}  // namespace sluice::dtls
