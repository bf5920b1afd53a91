// Two MediaTransports on paths in virtual time: time jumps from one thing that happens to the next.
#pragma once

#include <sluice/transport/media_transport.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/endpoints.h"
#include "support/rtp_packets.h"

namespace sluice::transport {

using namespace std::chrono_literals;
using test::make_rtcp;
using test::make_rtp;
using test::Packet;

inline constexpr PathId kPathA{1};
inline constexpr PathId kPathB{2};

// Application data, of no meaning.
inline const Packet kData(100, std::byte{0x42});

// One end: a transport with all that it has put out.
struct End {
  MediaTransport transport;
  dtls::Fingerprint fingerprint;  // of its own certificate

  std::vector<Packet> rtp = {};
  std::vector<Packet> rtcp = {};
  std::vector<Packet> data = {};
  std::vector<dtls::ConnectionInfo> connected = {};
  std::vector<srtp::Direction> ssrc_limits = {};
  bool closed = false;
  std::optional<dtls::Error> error = {};
};

// A datagram on its way; the network may look at it, change it, or drop it.
struct Flight {
  bool to_server;
  PathId path;
  Packet bytes;
};

struct CallOptions {
  MediaTransportOptions client = {};
  MediaTransportOptions server = {};
  dtls::ConfigOptions client_dtls = test::options();
  dtls::ConfigOptions server_dtls = test::options();
  dtls::Environment* environment = &test::environment();
  std::optional<dtls::Identity> identity = {};  // of both; empty: each has one of its own
};

// Both ends with this version alone.
CallOptions call_options(dtls::ProtocolVersion version);

class Call {
 public:
  explicit Call(const CallOptions& options = {});

  End client;
  End server;
  dtls::Duration delay = 25ms;  // one way
  // False drops the datagram.
  std::function<bool(Flight&)> network = [](Flight&) { return true; };

  // Both know roles and fingerprints, and `path` is selected at both ends.
  void set_up(PathId path = kPathA);
  // set_up(), until both are connected.
  void connect();
  void validate(End& end, PathId path);
  void select(End& end, PathId path, std::optional<dtls::Duration> rtt = {});
  void select_both(PathId path);
  void announce(End& end, const dtls::Fingerprint& of_peer);
  // A new association at both ends, with the fingerprints as they are; not yet a path.
  void restart_both();

  // What an input returned: takes the outputs and puts datagrams on their way.
  void settle(End& end, const dtls::Result<TransportPending>& outcome);
  void run_until(Instant until);
  void run_for(dtls::Duration duration) { run_until(now + duration); }

  // Protected at once and sent on the transport's path; false when it refuses.
  bool send_rtp(End& from, const Packet& plain);
  bool send_rtcp(End& from, const Packet& plain);
  bool send_data(End& from, const Packet& plain);
  // As anybody on the network may: straight into the transport.
  void inject(End& to, Packet datagram, PathId path);
  void send(const End& from, Packet datagram, PathId path);

  Instant now = Instant(1h);

 private:
  void take_outputs(End& end);

  std::multimap<Instant, Flight> flights_;
};

// Protected by `from`'s keys, but not sent; empty when it refuses.
Packet protect_rtp(End& from, Packet plain);
Packet protect_rtcp(End& from, Packet plain);

// A fingerprint that no certificate has.
dtls::Fingerprint wrong_fingerprint();

}  // namespace sluice::transport
