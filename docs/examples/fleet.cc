// Two servers of a fleet that share a store of sleeping sessions: a device sleeps at one and wakes
// at the other, without a handshake.
#include <sluice/dtls/endpoint.h>
#include <sluice/dtls/routable_connection_id.h>
#include <sluice/dtls/state_keys.h>
#include <sluice/session_stores/memory_store.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <set>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dtls = sluice::dtls;
namespace stores = sluice::session_stores;

namespace {

dtls::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

constexpr dtls::RoutableIdLayout kLayout{
    .key_id = dtls::RoutableKeyId{0}, .size = 16, .server_size = 2};

// One thread of one server, with a socket, an Environment and a store object of its own.
class Server {
 public:
  // `keys` are those of all servers; `ids` have the number of this one.
  Server(dtls::Environment& environment, dtls::ConfigPtr config, const dtls::StateKeys& keys,
         std::unique_ptr<dtls::ConnectionIdSource> ids,
         std::unique_ptr<stores::LiveSessionStore> store);

  dtls::Endpoint& endpoint() { return endpoint_; }
  // Call it after each input of the Endpoint, and when the store's wait_handle() is readable.
  void turn(dtls::Instant now);
  // For maintenance. Returns how many sessions the store has taken.
  std::size_t store_all(dtls::Instant now);

 private:
  static constexpr stores::RequestToken kPut{UINT64_MAX};

  void on_event(const dtls::EndpointEvent& event);
  void put(const dtls::SessionState& state);
  void on_completion(const stores::Completion& completion, dtls::Instant now);
  bool restore(dtls::WantedSession wanted, dtls::Bytes sealed, dtls::Instant now);

  dtls::Environment& environment_;
  dtls::ConfigPtr config_;
  const dtls::StateKeys& keys_;
  std::unique_ptr<dtls::ConnectionIdSource> ids_;
  std::unique_ptr<stores::LiveSessionStore> store_;
  dtls::Endpoint endpoint_;
  std::set<dtls::ConnectionHandle> awake_;
  std::size_t stored_ = 0;
};

dtls::EndpointOptions options_of(const dtls::ConfigPtr& config, dtls::ConnectionIdSource& ids) {
  return {.server = config,
          .connection_ids = &ids,
          .max_connections = 1'000'000,
          .age_after = std::chrono::minutes{5},
          .max_live = 900'000,
          .waking = {.max_wanted = 10'000}};
}

Server::Server(dtls::Environment& environment, dtls::ConfigPtr config, const dtls::StateKeys& keys,
               std::unique_ptr<dtls::ConnectionIdSource> ids,
               std::unique_ptr<stores::LiveSessionStore> store)
    : environment_(environment),
      config_(std::move(config)),
      keys_(keys),
      ids_(std::move(ids)),
      store_(std::move(store)),
      endpoint_(dtls::Endpoint::make(options_of(config_, *ids_), environment).value()) {}

void Server::turn(dtls::Instant now) {
  while (const auto event = endpoint_.poll_event()) on_event(*event);
  while (const auto completion = store_->poll()) on_completion(*completion, now);
  // What has waited for a session that has just been restored.
  endpoint_.handle_timeout(now);
  while (const auto event = endpoint_.poll_event()) on_event(*event);
}

void Server::on_event(const dtls::EndpointEvent& event) {
  if (const auto* aged = std::get_if<dtls::SessionAged>(&event.what)) {
    awake_.erase(event.connection);
    put(aged->state);
  } else if (const auto* wanted = std::get_if<dtls::SessionWanted>(&event.what)) {
    const auto token = static_cast<stores::RequestToken>(wanted->wanted);
    // Where the store refuses, the question ends by itself (WakingOptions::timeout).
    static_cast<void>(store_->take(token, wanted->connection_id.bytes()));
  } else if (std::holds_alternative<dtls::Ended>(event.what)) {
    awake_.erase(event.connection);
  } else if (std::holds_alternative<dtls::Connected>(event.what) ||
             std::holds_alternative<dtls::SessionRestored>(event.what)) {
    awake_.insert(event.connection);
  }
}

// A sealed state cannot be read or altered in the store. A state under the ID of another session is
// refused by the Endpoint, which checks the ID that it has asked for.
void Server::put(const dtls::SessionState& state) {
  const auto sealed = keys_.seal(environment_, state.bytes(), bytes_of("session"));
  if (!sealed) return;
  const std::vector<dtls::ConnectionId> ids = state.own_connection_ids();
  std::vector<dtls::Bytes> names;
  names.reserve(ids.size());
  for (const dtls::ConnectionId& id : ids) names.push_back(id.bytes());
  // Where it fails, the device makes a handshake: count that, and watch it.
  static_cast<void>(store_->put(
      kPut, {.connection_ids = names, .session = *sealed, .lifetime = std::chrono::days{30}}));
}

void Server::on_completion(const stores::Completion& completion, dtls::Instant now) {
  if (completion.token == kPut) {
    if (std::holds_alternative<stores::PutDone>(completion.outcome)) ++stored_;
    return;
  }
  const auto wanted = static_cast<dtls::WantedSession>(completion.token);
  const auto* taken = std::get_if<stores::TakeDone>(&completion.outcome);
  const bool found = taken != nullptr && !taken->session.empty();
  // No session, or an error of the store: the device makes a handshake.
  if (!found || !restore(wanted, taken->session, now)) endpoint_.drop_wanted(wanted, now);
}

bool Server::restore(dtls::WantedSession wanted, dtls::Bytes sealed, dtls::Instant now) {
  auto state = keys_.open(environment_, sealed, bytes_of("session"))
                   .and_then([](const dtls::SecretBytes& bytes) {
                     return dtls::SessionState::parse(bytes.bytes());
                   });
  if (!state) return false;
  // Without a path: the session goes on where the first authentic datagram has come from.
  // Where it is refused, the state stays ours.
  dtls::SessionState& taken = *state;
  const auto restored = endpoint_.restore_wanted(wanted, config_, std::move(taken), {}, now);
  if (!restored && restored.error().code != dtls::Errc::session_refused) put(*state);
  return restored.has_value();
}

std::size_t Server::store_all(dtls::Instant now) {
  // A handshake that has just ended may block the export for one round trip: such a session stays,
  // and its device makes another handshake.
  for (const dtls::ConnectionHandle connection : std::exchange(awake_, {})) {
    if (const auto state = endpoint_.export_session(connection, {}, now)) put(*state);
  }
  while (store_->wait(std::chrono::seconds{1})) turn(now);
  return stored_;
}

// ---- the rest plays the network and a device

std::unique_ptr<dtls::ConnectionIdSource> ids_of(dtls::Environment& environment,
                                                 std::uint64_t server) {
  const dtls::Bytes key = bytes_of("16 random bytes.");
  return dtls::RoutableConnectionIds::make(environment, {.layout = kLayout, .server = server}, key)
      .value();
}

// Whether something was carried, which arrives from `path`.
bool carry(dtls::Endpoint& from, dtls::Endpoint& to, const dtls::UdpPath& path, dtls::Instant now) {
  std::array<std::byte, dtls::kMaxDatagram> datagram{};
  bool carried = false;
  while (const auto next = from.poll_transmit(datagram)) {
    to.handle_datagram(std::span(datagram).first(next->size), path, now);
    carried = true;
  }
  return carried;
}

}  // namespace

int main() {
  auto environment = dtls::Environment::make().value();
  const auto psk =
      dtls::PreSharedKey::make(bytes_of("device 7"), bytes_of("32 bytes of its own, at random..."))
          .value();
  dtls::ConfigOptions options{.pre_shared_keys = {psk},
                              .cipher_suites = {dtls::CipherSuite::psk_with_aes_128_ccm_8},
                              .connection_id_size = kLayout.size};
  const auto config = dtls::Config::make(options).value();
  options.connection_id_size = 0;  // the device needs none in what it receives
  const auto device_config = dtls::Config::make(options).value();

  dtls::StateKeys keys;
  if (!keys.add(dtls::StateKeyId{1}, bytes_of("32 bytes which all servers share"))) return 1;
  const auto sessions = stores::make_shared_sessions(1'000'000);
  Server first(environment, config, keys, ids_of(environment, 0),
               stores::make_memory_store(sessions));
  Server second(environment, config, keys, ids_of(environment, 1),
                stores::make_memory_store(sessions));

  auto device = dtls::Endpoint::make({}, environment).value();
  const dtls::UdpPath at_device{.peer = {dtls::Ipv4Address{198, 51, 100, 1}, 5684}};
  dtls::UdpPath at_server{.peer = {dtls::Ipv4Address{192, 0, 2, 7}, 40'000}};
  dtls::Instant now{};
  const auto connection = device.connect(device_config, at_device, now);
  if (!connection) return 1;
  while (carry(device, first.endpoint(), at_server, now) ||
         carry(first.endpoint(), device, at_device, now)) {
    first.turn(now);
  }
  first.turn(now);

  // The first server goes down for maintenance. A day later the device has another address.
  std::cout << first.store_all(now) << " session stored\n";
  now += std::chrono::hours{24};
  at_server.peer = {dtls::Ipv4Address{203, 0, 113, 9}, 50'000};

  std::array<std::byte, 200> record{};
  const auto sealed = device.seal_datagram(*connection, bytes_of("21 degrees"), record);
  if (!sealed) return 1;
  second.endpoint().handle_datagram(std::span(record).first(sealed->size), at_server, now);
  second.turn(now);  // takes the session from the store
  const auto data = second.endpoint().poll_data();
  std::cout << (data ? "the second server has the data\n" : "nothing\n");
  return data ? 0 : 1;
}
