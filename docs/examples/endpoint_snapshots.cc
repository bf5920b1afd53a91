// A server whose process crashes, and whose devices notice nothing.
#include <sluice/dtls/endpoint.h>
#include <sluice/dtls/or_exit.h>

#include <array>
#include <iostream>
#include <map>
#include <string>

namespace dtls = sluice::dtls;

namespace {

dtls::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// By the name of the session; on disk, sealed by dtls::StateKeys, and of this server alone.
using Store = std::map<std::string, dtls::Buffer>;

// Keeps the newest snapshot of a session in the store. Call it once the connection is connected or
// restored, and later where snapshot_due() after it has sent something.
void keep_snapshot(dtls::Endpoint& endpoint, dtls::ConnectionHandle connection, Store& store,
                   dtls::Instant now) {
  const auto snapshot = endpoint.snapshot(connection);
  if (!snapshot) return;
  const dtls::Bytes name = snapshot->state.tag();  // that of set_tag()
  const dtls::Bytes bytes = snapshot->state.bytes();
  const std::string key(reinterpret_cast<const char*>(name.data()), name.size());
  store[key] = dtls::Buffer(bytes.begin(), bytes.end());
  // Only when the store says that it is durable; until then the connection may send no further.
  static_cast<void>(endpoint.snapshot_stored(connection, snapshot->id, now));
}

// Takes the session out of the store and goes on with it.
dtls::Result<dtls::ConnectionHandle> wake_up(dtls::Endpoint& endpoint, const std::string& name,
                                             Store& store, const dtls::ConfigPtr& config,
                                             const dtls::UdpPath& path, dtls::Instant now) {
  const dtls::Buffer bytes = std::move(store.extract(name).mapped());
  auto woken = dtls::SessionState::parse(bytes).and_then([&](dtls::SessionState state) {
    return endpoint.adopt(config, std::move(state), path, now);
  });
  // It sends nothing before it has a snapshot of its own.
  if (woken) keep_snapshot(endpoint, *woken, store, now);
  return woken;
}

// In place of a socket: whether there was something to be carried, which arrives from `path`.
bool carry(dtls::Endpoint& from, dtls::Endpoint& to, const dtls::UdpPath& path, dtls::Instant now) {
  std::array<std::byte, dtls::kMaxDatagram> datagram{};
  bool carried = false;
  while (const auto next = from.poll_transmit(datagram)) {
    to.handle_datagram(std::span(datagram).first(next->size), path, now);
    carried = true;
  }
  while (from.poll_event()) {
  }
  return carried;
}

}  // namespace

int main() {
  auto environment = dtls::or_exit(dtls::Environment::make());
  const dtls::Buffer secret(16, std::byte{42});
  const dtls::ConfigOptions options{
      .pre_shared_keys = {dtls::or_exit(dtls::PreSharedKey::make(bytes_of("device 7"), secret))},
      .connection_id_size = 8};
  const auto config = dtls::or_exit(dtls::Config::make(options));
  const auto start = [&] {
    return dtls::or_exit(dtls::Endpoint::make({.server = config}, environment));
  };
  auto server = start();
  auto device = dtls::or_exit(dtls::Endpoint::make({}, environment));
  const dtls::UdpPath at_device{.peer = {dtls::Ipv4Address{198, 51, 100, 1}, 5684}};
  const dtls::UdpPath at_server{.peer = {dtls::Ipv4Address{192, 0, 2, 7}, 40'000}};
  const dtls::Instant now{};
  const auto of_device = dtls::or_exit(device.connect(config, at_device, now));
  while (carry(device, server, at_server, now) || carry(server, device, at_device, now)) {
  }

  Store store;
  const std::string name = "device 7";
  const auto before = server.find(at_server);
  if (!before || !server.set_tag(*before, bytes_of(name))) return 1;
  keep_snapshot(server, *before, store, now);

  server = start();  // the process has crashed
  const auto after = dtls::or_exit(wake_up(server, name, store, config, at_server, now));
  std::array<std::byte, 200> record{};
  const auto sealed = server.seal_datagram(after, bytes_of("set 21 degrees"), record);
  if (!sealed) return 1;
  device.handle_datagram(std::span(record).first(sealed->size), at_device, now);
  const auto data = device.poll_data();
  std::cout << (data && data->connection == of_device ? "the device has got it\n" : "lost\n");
  return data ? 0 : 1;
}
