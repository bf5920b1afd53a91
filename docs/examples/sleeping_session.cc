// A device that speaks once a day: its session sleeps in a store, and wakes with its datagram.
#include <sluice/dtls/endpoint.h>
#include <sluice/dtls/state_keys.h>

#include <array>
#include <iostream>
#include <map>
#include <string>

namespace dtls = sluice::dtls;

namespace {

dtls::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

struct Asleep {
  dtls::Buffer sealed;
  dtls::UdpPath path;
};

// In a server a database, such as those of sluice::session_stores.
class Store {
 public:
  void put(const std::vector<dtls::ConnectionId>& ids, Asleep asleep) {
    ++last_;
    for (const auto& id : ids) by_id_[dtls::Buffer(id.bytes().begin(), id.bytes().end())] = last_;
    sessions_[last_] = std::move(asleep);
  }
  // Once: the session has one owner.
  std::optional<Asleep> take(const dtls::ConnectionId& id) {
    auto at = by_id_.extract(dtls::Buffer(id.bytes().begin(), id.bytes().end()));
    auto taken = at ? sessions_.extract(at.mapped()) : decltype(sessions_)::node_type();
    return taken ? std::optional(std::move(taken.mapped())) : std::nullopt;
  }

 private:
  std::map<dtls::Buffer, int> by_id_;
  std::map<int, Asleep> sessions_;
  int last_ = 0;
};

struct Server {
  dtls::Environment& environment;
  dtls::ConfigPtr config;
  dtls::StateKeys& keys;
  Store& store;
  dtls::Endpoint endpoint;

  void on_event(const dtls::EndpointEvent& event, dtls::Instant now);
  void on_aged(const dtls::SessionAged& aged);
  void on_wanted(const dtls::SessionWanted& wanted, dtls::Instant now);
};

// The handle has ended; the tag of set_tag() is in the state.
void Server::on_aged(const dtls::SessionAged& aged) {
  const auto sealed = keys.seal(environment, aged.state.bytes(), bytes_of("session"));
  if (sealed) store.put(aged.state.own_connection_ids(), {*sealed, aged.path});
}

// A store that takes its time answers later, from its own completion.
void Server::on_wanted(const dtls::SessionWanted& wanted, dtls::Instant now) {
  const auto asleep = store.take(wanted.connection_id);
  auto state = asleep ? keys.open(environment, asleep->sealed, bytes_of("session"))
                            .and_then([](const dtls::SecretBytes& bytes) {
                              return dtls::SessionState::parse(bytes.bytes());
                            })
                      : tl::unexpected(dtls::Error{dtls::Errc::not_wanted});
  if (!state) {
    endpoint.drop_wanted(wanted.wanted, now);
    return;
  }
  dtls::SessionState& taken = *state;
  const auto restored =
      endpoint.restore_wanted(wanted.wanted, config, std::move(taken), asleep->path, now);
  // Where it is refused, the state is still ours: too late, or no room. It goes back.
  const bool is_worthless = !restored && restored.error().code == dtls::Errc::session_refused;
  if (!restored && !is_worthless) on_aged({*std::move(state), asleep->path});
}

void Server::on_event(const dtls::EndpointEvent& event, dtls::Instant now) {
  if (const auto* aged = std::get_if<dtls::SessionAged>(&event.what)) {
    on_aged(*aged);
  } else if (const auto* wanted = std::get_if<dtls::SessionWanted>(&event.what)) {
    on_wanted(*wanted, now);
  } else if (const auto* restored = std::get_if<dtls::SessionRestored>(&event.what)) {
    std::cout << "awake: " << restored->tag.size() << " bytes of tag\n";
  }
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
  auto environment = dtls::Environment::make().value();
  const dtls::Buffer secret(16, std::byte{42});
  const dtls::ConfigOptions options{
      .pre_shared_keys = {dtls::PreSharedKey::make(bytes_of("device 7"), secret).value()},
      .cipher_suites = {dtls::CipherSuite::psk_with_aes_128_ccm_8},
      .connection_id_size = 8};
  const auto config = dtls::Config::make(options).value();
  dtls::StateKeys keys;
  if (!keys.add(dtls::StateKeyId{1}, dtls::Buffer(dtls::StateKeys::kKeySize, std::byte{7}))) {
    return 1;
  }
  Store store;
  Server server{
      environment, config, keys, store,
      dtls::Endpoint::make(
          {.server = config, .age_after = std::chrono::minutes{1}, .waking = {.max_wanted = 1000}},
          environment)
          .value()};

  auto device = dtls::Endpoint::make({}, environment).value();
  const dtls::UdpPath at_device{.peer = {dtls::Ipv4Address{198, 51, 100, 1}, 5684}};
  const dtls::UdpPath at_server{.peer = {dtls::Ipv4Address{192, 0, 2, 7}, 40'000}};
  dtls::Instant now{};
  const auto connection = device.connect(config, at_device, now);
  if (!connection) return 1;
  while (carry(device, server.endpoint, at_server, now) ||
         carry(server.endpoint, device, at_device, now)) {
  }
  const auto known = server.endpoint.find(at_server);
  if (!known || !server.endpoint.set_tag(*known, bytes_of("device 7"))) return 1;

  now += std::chrono::hours{24};
  server.endpoint.handle_timeout(now);
  while (const auto event = server.endpoint.poll_event()) server.on_event(*event, now);
  std::cout << server.endpoint.size() << " live connections\n";

  std::array<std::byte, 200> record{};
  const auto sealed = device.seal_datagram(*connection, bytes_of("21 degrees"), record);
  if (!sealed) return 1;
  server.endpoint.handle_datagram(std::span(record).first(sealed->size), at_server, now);
  while (const auto event = server.endpoint.poll_event()) server.on_event(*event, now);
  // The loop of a server does this by itself: next_timeout() says that it is time.
  server.endpoint.handle_timeout(now);
  return server.endpoint.poll_data() ? 0 : 1;
}
