// A load balancer before two servers: their connection IDs say which server has a connection, so
// that a device keeps it when its address changes.
#include <sluice/dtls/connection.h>
#include <sluice/dtls/pre_shared_key.h>
#include <sluice/dtls/routable_connection_id.h>
#include <sluice/dtls/udp_endpoint.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <vector>

namespace dtls = sluice::dtls;

namespace {

// What all servers and load balancers are configured with.
constexpr dtls::RoutableIdLayout kLayout{
    .key_id = dtls::RoutableKeyId{0}, .size = 12, .server_size = 2};

// One of many; it keeps no state for connections.
class LoadBalancer {
 public:
  LoadBalancer(dtls::Environment& environment, dtls::Bytes key, std::size_t servers)
      : decoder_(environment), servers_(servers) {
    if (!decoder_.add(kLayout, key)) std::abort();
  }

  // The server that a datagram is to be forwarded to.
  std::size_t server_for(dtls::Bytes datagram, const dtls::UdpEndpoint& from) {
    const auto id = decoder_.decode_datagram(datagram);
    if (id && id->server < servers_) return id->server;
    // A handshake that begins, or an invalid ID. Your hash of the addresses:
    return from.port % servers_;
  }

 private:
  dtls::RoutableIdDecoder decoder_;
  std::size_t servers_;
};

// Its connections have IDs with its number. With an Endpoint, give `ids` to its options.
struct Server {
  Server(dtls::Environment& environment, const dtls::ConfigPtr& config, std::uint64_t number,
         dtls::Bytes key)
      : ids(dtls::RoutableConnectionIds::make(environment, {.layout = kLayout, .server = number},
                                              key)
                .value()),
        connection(dtls::Connection::server(config, environment, {}, {}, ids.get()).value()) {}

  std::unique_ptr<dtls::RoutableConnectionIds> ids;
  dtls::Connection connection;
};

}  // namespace

int main() {
  auto environment = dtls::Environment::make().value();
  const auto text = [](std::string_view of) { return std::as_bytes(std::span(of)); };
  const dtls::Bytes key = text("16 random bytes.");
  const auto psk =
      dtls::PreSharedKey::make(text("sensor 7"), text("32 bytes from a random generator")).value();
  dtls::ConfigOptions options{.connection_id_size = kLayout.size};
  options.pre_shared_keys = {psk};
  const auto server_config = dtls::Config::make(options).value();
  options.connection_id_size = 0;  // the device needs no IDs in what it receives
  const auto device_config = dtls::Config::make(options).value();

  std::vector<Server> servers;
  servers.reserve(2);
  for (std::uint64_t i = 0; i < 2; ++i) servers.emplace_back(environment, server_config, i, key);
  LoadBalancer balancer(environment, key, servers.size());
  auto device = dtls::Connection::client(device_config, environment, {}, {}).value();

  dtls::UdpEndpoint address{dtls::Ipv4Address{192, 0, 2, 1}, 50001};
  dtls::Connection& chosen = servers[balancer.server_for({}, address)].connection;
  std::byte datagram[dtls::kMaxDatagram];
  while (!device.connected() || !chosen.connected()) {
    while (const auto sent = device.poll_transmit(datagram)) {
      const auto bytes = std::span(datagram).first(sent->size);
      auto& server = servers[balancer.server_for(bytes, address)].connection;
      if (!server.handle_datagram(bytes, {}, {})) return 1;
    }
    while (const auto sent = chosen.poll_transmit(datagram)) {
      if (!device.handle_datagram(std::span(datagram).first(sent->size), {}, {})) return 1;
    }
  }

  // From this port the hash leads to the other server.
  address.port = 50002;
  const auto sealed = device.seal(text("21.5 degrees"), datagram);
  if (!sealed) return 1;
  const auto bytes = std::span(datagram).first(*sealed);
  const std::size_t number = balancer.server_for(bytes, address);
  if (!servers[number].connection.handle_datagram(bytes, {}, {})) return 1;
  const auto data = servers[number].connection.poll_data();
  std::cout << "server " << number << (data ? " has the data\n" : " has nothing\n");
  return data ? 0 : 1;
}
