// A device whose NAT gives it another address: the server checks the new address, then follows
// (RFC 9853).
#include <sluice/dtls/connection.h>

#include <iostream>

namespace dtls = sluice::dtls;

namespace {

dtls::Bytes bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// The server's numbers for the addresses of the device: before, and after the NAT has changed it.
constexpr dtls::PathId kBefore{1};
constexpr dtls::PathId kAfter{2};
// The device has one path, and does not notice.
constexpr dtls::PathId kDevices{1};

// What the device sends comes from this address.
bool carry_up(dtls::Connection& device, dtls::Connection& server, dtls::PathId address,
              dtls::Instant now) {
  std::byte datagram[dtls::kMaxDatagram];
  bool carried = false;
  while (const auto next = device.poll_transmit(datagram)) {
    if (!server.handle_datagram(std::span(datagram).first(next->size), address, now)) return false;
    carried = true;
  }
  return carried;
}

// What the server sends to another address than this is lost.
bool carry_down(dtls::Connection& server, dtls::Connection& device, dtls::PathId address,
                dtls::Instant now) {
  std::byte datagram[dtls::kMaxDatagram];
  bool carried = false;
  while (const auto next = server.poll_transmit(datagram)) {
    carried = true;
    if (next->path != address) continue;
    if (!device.handle_datagram(std::span(datagram).first(next->size), kDevices, now)) return false;
  }
  return carried;
}

}  // namespace

int main() {
  auto environment = dtls::Environment::make().value();
  dtls::ConfigOptions options{.connection_id_size = 8};
  options.pre_shared_keys = {
      dtls::PreSharedKey::make(bytes("sensor 7"), bytes("32 bytes from a random generator"))
          .value()};
  // The default where there are connection IDs: asks at the old address first.
  options.return_routability = dtls::ReturnRoutability::enhanced;
  const auto config = dtls::Config::make(options).value();

  dtls::Instant now{};  // from your clock
  auto device = dtls::Connection::client(config, environment, kDevices, now).value();
  auto server = dtls::Connection::server(config, environment, kBefore, now).value();
  while (carry_up(device, server, kBefore, now) || carry_down(server, device, kBefore, now)) {
  }
  if (!server.connected() || !server.info()->return_routability) return 1;

  // The next record comes from the new address.
  std::byte datagram[1500];
  const auto size = device.seal(bytes("21 degrees"), datagram).value();
  if (!server.handle_datagram(std::span(datagram).first(size), kAfter, now)) return 1;
  while (server.path() == kBefore) {
    while (carry_up(device, server, kAfter, now) || carry_down(server, device, kAfter, now)) {
    }
    const auto next = server.next_timeout();
    if (server.path() != kBefore || !next) break;
    now = *next;  // here the program waits
    if (!server.handle_timeout(now)) return 1;
  }
  while (const auto event = server.poll_event()) {
    const auto* changed = std::get_if<dtls::PathChanged>(&*event);
    if (changed == nullptr) continue;
    std::cout << "path " << static_cast<unsigned>(changed->from) << " -> "
              << static_cast<unsigned>(changed->to) << '\n';
  }
  return server.path() == kAfter ? 0 : 1;
}
