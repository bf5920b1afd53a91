// A device whose address changes: the server's Endpoint finds its connection by connection ID.
#include <sluice/dtls/endpoint.h>
#include <sluice/dtls/pre_shared_key.h>

#include <array>
#include <iostream>

namespace dtls = sluice::dtls;

namespace {

dtls::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// The address that a NAT gives to the device.
dtls::UdpPath from_port(std::uint16_t port) {
  return {.peer = {dtls::Ipv4Address{192, 0, 2, 7}, port}};
}

// The server asks each peer to put an ID of 8 bytes into its records, and checks new addresses.
dtls::Result<dtls::Endpoint> make_server(const dtls::PreSharedKey& key,
                                         dtls::Environment& environment) {
  auto config = dtls::Config::make({.pre_shared_keys = {key},
                                    .cipher_suites = {dtls::CipherSuite::psk_with_aes_128_ccm_8},
                                    .connection_id_size = 8,
                                    .return_routability = dtls::ReturnRoutability::basic});
  if (!config) return dtls::forward_error(config);
  return dtls::Endpoint::make({.server = *config}, environment);
}

// The program's tables know the device by its handle, whatever its address.
void on_event(const dtls::EndpointEvent& event) {
  if (const auto* moved = std::get_if<dtls::PeerMoved>(&event.what)) {
    std::cout << "device " << slot_of(event.connection) << " has moved from port "
              << moved->from.peer.port << " to " << moved->to.peer.port << '\n';
  }
}

// The device wants no ID in what it receives, but sends the one that it is asked for.
dtls::Result<dtls::Endpoint> make_device(const dtls::PreSharedKey& key, const dtls::UdpPath& server,
                                         dtls::Environment& environment, dtls::Instant now) {
  auto config = dtls::Config::make({.pre_shared_keys = {key},
                                    .cipher_suites = {dtls::CipherSuite::psk_with_aes_128_ccm_8},
                                    .connection_id_size = 0});
  if (!config) return dtls::forward_error(config);
  auto device = dtls::Endpoint::make({}, environment);
  if (!device) return device;
  if (auto begun = device->connect(*config, server, now); !begun) {
    return dtls::forward_error(begun);
  }
  return device;
}

// In place of a socket: whether there was something to be carried, which arrives from `path`.
bool carry(dtls::Endpoint& from, dtls::Endpoint& to, const dtls::UdpPath& path, dtls::Instant now) {
  std::array<std::byte, dtls::kMaxDatagram> datagram{};
  bool carried = false;
  while (const auto next = from.poll_transmit(datagram)) {
    to.handle_datagram(std::span(datagram).first(next->size), path, now);
    carried = true;
  }
  while (const auto event = from.poll_event()) on_event(*event);
  return carried;
}

}  // namespace

int main() {
  auto environment = dtls::Environment::make().value();
  const dtls::Buffer secret(16, std::byte{42});
  const auto key = dtls::PreSharedKey::make(bytes_of("device 7"), secret).value();
  const dtls::UdpPath address{.peer = {dtls::Ipv4Address{198, 51, 100, 1}, 5684}};
  const dtls::Instant now{};
  auto server = make_server(key, environment).value();
  auto device = make_device(key, address, environment, now).value();
  while (carry(device, server, from_port(40'000), now) || carry(server, device, address, now)) {
  }

  // The device has slept, and the NAT has forgotten its port.
  const auto connection = device.find(address);
  std::array<std::byte, 200> record{};
  const auto sealed = device.seal_datagram(connection.value(), bytes_of("21 degrees"), record);
  if (!sealed) return 1;
  server.handle_datagram(std::span(record).first(sealed->size), from_port(50'123), now);
  const auto data = server.poll_data();
  // The server asks whether the device is there, and it answers.
  while (carry(server, device, address, now) || carry(device, server, from_port(50'123), now)) {
  }
  return data && server.path_of(data->connection) == from_port(50'123) ? 0 : 1;
}
