// Records an Environment's connections into a pcapng file for Wireshark.
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
  // The time of day at Instant{}: microseconds since 1970-01-01 00:00 UTC.
  std::chrono::microseconds epoch = {};
  struct Path {
    UdpEndpoint own;
    UdpEndpoint peer;
  };
  // The addresses of a connection's path. By default they are invented: port 4433 at both ends, the
  // peer's address in 2001:db8::/32 (RFC 3849), made of the numbers of connection and path.
  std::function<Path(ConnectionNumber, PathId)> addresses = {};
};

// Set it as Environment::Options::packet_observer and key_log, or as packet_observer only, which
// leaves out the secrets. With the secrets, anyone with the file can read and forge the traffic.
//
//   dtls::Capture capture;
//   auto environment = dtls::Environment::make({.key_log = &capture, .packet_observer = &capture});
//   // after inputs, or now and then
//   file << capture.take();
//
// Secrets are written before the packets that they decrypt; the comment of a packet lists what was
// discarded of it. Add other packets of the same paths, such as SRTP, with on_datagram().
class Capture final : public PacketObserver, public KeyLog {
 public:
  explicit Capture(CaptureOptions options = {});

  // Returns what was recorded since the last call, to be appended to a file. It accumulates in
  // memory until then. Do not call it during an input.
  Buffer take();

  void on_datagram(const ObservedDatagram& datagram) override;
  void on_discard(const ObservedDiscard& discard) override;
  void add_line(std::string_view line) override;

 private:
  // The keys are known while their datagram is handled, and must be written before it.
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
