// A server that is restarted, and one that crashes: their sessions go on without a handshake.
#include <sluice/dtls/connection.h>
#include <sluice/dtls/state_keys.h>

#include <array>
#include <iostream>
#include <map>
#include <string>

namespace dtls = sluice::dtls;

namespace {

// In a server, a database.
using Store = std::map<std::string, dtls::Buffer>;

dtls::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// Ends the connection; what restores it is in the store. False: not now, see export_blocked().
bool put_to_sleep(dtls::Connection& connection, const std::string& name, Store& store,
                  const dtls::StateKeys& keys, dtls::Environment& environment) {
  auto state = std::move(connection).export_session({.tag = bytes_of(name)});
  if (!state) return false;
  // The context is the session's name: under another name the state does not open.
  const auto sealed = keys.seal(environment, state->bytes(), bytes_of(name));
  if (sealed) store[name] = *sealed;
  return sealed.has_value();
}

// Takes the state out of the store, so that no one else restores it, too.
dtls::Result<dtls::Connection> wake_up(const std::string& name, Store& store,
                                       const dtls::StateKeys& keys, const dtls::ConfigPtr& config,
                                       dtls::Environment& environment, dtls::PathId path,
                                       dtls::Instant now) {
  const dtls::Buffer sealed = std::move(store.extract(name).mapped());
  return keys.open(environment, sealed, bytes_of(name))
      .and_then(
          [](const dtls::SecretBytes& bytes) { return dtls::SessionState::parse(bytes.bytes()); })
      .and_then([&](dtls::SessionState state) {
        return dtls::Connection::restore(config, environment, std::move(state), path, now);
      });
}

// Call it after sending: keeps in the store what survives a crash.
void keep_snapshot(dtls::Connection& connection, const std::string& name, Store& store,
                   const dtls::StateKeys& keys, dtls::Environment& environment, dtls::Instant now) {
  const auto snapshot = connection.snapshot({.tag = bytes_of(name)});
  if (!snapshot) return;  // the handshake has just ended: next time
  const auto sealed = keys.seal(environment, snapshot->state.bytes(), bytes_of(name));
  if (!sealed) return;
  store[name] = *sealed;
  // Only when the store says that it is durable, and the one before is gone:
  static_cast<void>(connection.snapshot_stored(snapshot->id, now));
}

// In a server, datagrams go through a socket here.
bool carry(dtls::Connection& from, dtls::Connection& to, dtls::Instant now) {
  std::byte datagram[dtls::kMaxDatagram];
  bool carried = false;
  while (const auto next = from.poll_transmit(datagram)) {
    const auto taken = to.handle_datagram(std::span(datagram).first(next->size), next->path, now);
    if (!taken) std::cerr << to_string(taken.error()) << '\n';
    carried = true;
  }
  while (to.poll_event()) {
  }
  return carried;
}

bool reaches(dtls::Connection& from, dtls::Connection& to, dtls::Instant now) {
  std::array<std::byte, 200> record{};
  const auto size = from.seal(bytes_of("hello"), record);
  if (!size) return false;
  const auto taken = to.handle_datagram(std::span(record).first(*size), to.path(), now);
  return taken && to.poll_data().has_value();
}

}  // namespace

int main() {
  auto environment = dtls::Environment::make().value();
  const dtls::Buffer secret(16, std::byte{42});
  const auto config =
      dtls::Config::make(
          {.pre_shared_keys = {dtls::PreSharedKey::make(bytes_of("device 7"), secret).value()},
           .cipher_suites = {dtls::CipherSuite::psk_with_aes_128_ccm_8}})
          .value();
  const dtls::PathId path{0};
  const dtls::Instant now{};  // from a clock that goes on when the process ends
  auto device = dtls::Connection::client(config, environment, path, now).value();
  auto server = dtls::Connection::server(config, environment, path, now).value();
  while (carry(device, server, now) || carry(server, device, now)) {
  }

  dtls::StateKeys keys;
  if (!keys.add(dtls::StateKeyId{1}, dtls::Buffer(dtls::StateKeys::kKeySize, std::byte{7}))) {
    return 1;
  }
  Store store;

  // A restart.
  if (!put_to_sleep(server, "device 7", store, keys, environment)) return 1;
  std::cout << store["device 7"].size() << " bytes asleep\n";
  auto other_process = dtls::Environment::make().value();
  auto restored = wake_up("device 7", store, keys, config, other_process, path, now);
  if (!restored || !reaches(device, *restored, now) || !reaches(*restored, device, now)) return 1;

  // A crash.
  keep_snapshot(*restored, "device 7", store, keys, other_process, now);
  auto third_process = dtls::Environment::make().value();
  auto again = wake_up("device 7", store, keys, config, third_process, path, now);
  if (!again) return 1;
  keep_snapshot(*again, "device 7", store, keys, third_process, now);
  if (!reaches(device, *again, now) || !reaches(*again, device, now)) return 1;
  std::cout << "one handshake, three processes\n";
}
