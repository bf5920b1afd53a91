// An Endpoint as a program would have it, with all that it has put out.
#pragma once

#include <sluice/dtls/endpoint.h>

#include <map>
#include <vector>

#include "support/endpoints.h"

namespace sluice::test {

// 192.0.2.0 and on, as many hosts as are asked for.
dtls::UdpEndpoint address_of(std::uint32_t host, std::uint16_t port = 5684);
// From such an address to socket 1.
dtls::UdpPath path_of(std::uint32_t host, std::uint16_t port = 5684);

class EndpointHost {
 public:
  struct Sent {
    dtls::UdpPath path;
    dtls::Buffer datagram;
    std::optional<dtls::ConnectionHandle> connection = {};
  };
  struct Known {
    std::optional<dtls::ConnectionInfo> connected;
    std::optional<dtls::Ended> ended;
    std::vector<dtls::Buffer> data;
    std::vector<dtls::PeerMoved> moves;
    std::optional<dtls::SessionAged> aged = {};
    std::optional<dtls::SessionRestored> restored = {};
  };

  // Lets peers in with `server`, if that isn't null.
  explicit EndpointHost(const dtls::ConfigPtr& server = make_config(),
                        dtls::EndpointOptions options = {});

  void receive(dtls::Buffer datagram, const dtls::UdpPath& path, dtls::Instant now = {});
  void handle_timeout(dtls::Instant now);
  // After any other input: takes data and events, accepts whoever asks.
  void settle(dtls::Instant now);
  // All datagrams that wait to be sent; then takes the data and events that had waited for that.
  std::vector<Sent> take_datagrams();
  // The connection of that address, connected or not; null when there is none.
  Known* at(const dtls::UdpPath& path);
  // One record of application data to that address.
  dtls::Buffer seal(const dtls::UdpPath& path, dtls::Bytes data);
  dtls::Buffer seal(dtls::ConnectionHandle connection, dtls::Bytes data);

  bool accepts_peers = true;
  dtls::Endpoint endpoint;
  // These wait for the test's answer.
  std::vector<dtls::ConfigRequested> config_requests;
  std::vector<dtls::SessionWanted> wanted;
  // Each that an event has told of.
  std::map<dtls::ConnectionHandle, Known> known;

 private:
  dtls::Instant latest_{};
};

// Carries datagrams between a client at `path` and the endpoint, without loss or delay, until
// neither has any. What goes elsewhere is lost.
void exchange(Peer& client, const dtls::UdpPath& path, EndpointHost& host, dtls::Instant now = {});
// Between two endpoints, each of which sees the other at `path`.
void exchange(EndpointHost& one, EndpointHost& other, dtls::Instant now = {});

// Both are connected and data passes both ways.
bool works(Peer& client, const dtls::UdpPath& path, EndpointHost& host, dtls::Instant now = {});

}  // namespace sluice::test
