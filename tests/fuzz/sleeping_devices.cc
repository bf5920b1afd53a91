#include "fuzz/sleeping_devices.h"

#include "fuzz/check.h"
#include "support/endpoints.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using test::must;

test::SeededRandom& random_source() {
  static test::SeededRandom random{1};
  return random;
}

Environment& own_environment() {
  static Environment environment = must(Environment::make({.random = &random_source()}));
  return environment;
}

ConfigPtr make_config(ProtocolVersion version, std::size_t id_size, ReturnRoutability kind) {
  ConfigOptions options;
  options.pre_shared_keys = {must(PreSharedKey::make(test::bytes_of("device"), Buffer(32)))};
  options.cipher_suites = {CipherSuite::aes_128_gcm_sha256,
                           CipherSuite::psk_with_aes_128_gcm_sha256};
  options.groups = {NamedGroup::secp256r1};
  options.srtp_profiles.clear();
  options.max_version = version;
  options.connection_id_size = id_size;
  options.return_routability = kind;
  return must(Config::make(std::move(options)));
}

// A handshake without loss.
SleepingSession make_session(Endpoint& endpoint, const ConfigPtr& config, unsigned number) {
  const UdpPath path = device_path(number);
  test::Peer client(must(Connection::client(config, own_environment(), PathId{1}, {})));
  std::array<std::byte, kMaxDatagram> out{};
  for (bool moved = true; moved;) {
    moved = false;
    for (Buffer& datagram : client.take_datagrams()) {
      endpoint.handle_datagram(datagram, path, {});
      while (endpoint.poll_event()) continue;
      moved = true;
    }
    while (const auto sent = endpoint.poll_transmit(out)) {
      client.receive(test::copy_of(Bytes(out).first(sent->size)), {});
      moved = true;
    }
    while (endpoint.poll_event()) continue;
  }
  const auto handle = endpoint.find(path);
  SLUICE_CHECK(client.connected && handle);
  const std::byte name{static_cast<unsigned char>(number)};
  const auto server = must(endpoint.export_session(*handle, {.tag = Bytes(&name, 1)}, {}));
  while (endpoint.poll_event()) continue;
  const auto own = must(std::move(client.connection()).export_session());
  return {test::copy_of(own.bytes()), test::copy_of(server.bytes())};
}

SleepingDevices make_devices(ReturnRoutability kind) {
  random_source().restart(1);
  SleepingDevices devices;
  devices.server = make_config(ProtocolVersion::dtls13, 1, kind);
  Endpoint endpoint = must(Endpoint::make({.server = devices.server}, own_environment()));
  for (unsigned i = 0; i < kDevices; ++i) {
    const auto version = i == 1 ? ProtocolVersion::dtls13 : ProtocolVersion::dtls12;
    devices.clients[i] = make_config(version, 0, kind);
    devices.sessions[i] = make_session(endpoint, devices.clients[i], i);
  }
  return devices;
}

}  // namespace

Device::Device(const SleepingDevices& devices, unsigned number, Instant now)
    : connection_(must(Connection::restore(
          devices.clients[number], own_environment(),
          must(SessionState::parse(devices.sessions[number].client)), PathId{1}, now))),
      name_(static_cast<std::byte>(number)) {}

void Device::send() {
  if (sent_.size() == kMaxWaiting) return;
  ++serial_;
  const Buffer text{name_, static_cast<std::byte>(serial_ & 0xff),
                    static_cast<std::byte>(serial_ >> 8 & 0xff)};
  Buffer out(connection_.sealed_size(text.size()));
  const auto sealed = connection_.seal(text, out);
  if (!sealed) return;
  out.resize(sealed->size);
  said_.insert(text);
  sent_.push_back(std::move(out));
}

Buffer Device::take_sent(std::size_t which, bool stays) {
  if (sent_.empty()) return {};
  const auto chosen = sent_.begin() + static_cast<std::ptrdiff_t>(which % sent_.size());
  Buffer datagram = *chosen;
  if (!stays) sent_.erase(chosen);
  return datagram;
}

void Device::queue_answer(Buffer datagram) {
  if (answers_.size() < kMaxWaiting) answers_.push_back(std::move(datagram));
}

void Device::receive_answers(Instant now) {
  for (auto all = std::exchange(answers_, {}); !all.empty(); all.pop_front()) {
    static_cast<void>(connection_.handle_datagram(all.front(), PathId{1}, now));
    while (connection_.poll_data()) continue;
    while (connection_.poll_event()) continue;
  }
  std::array<std::byte, kMaxDatagram> out{};
  while (const auto sent = connection_.poll_transmit(out)) {
    if (sent_.size() < kMaxWaiting) sent_.push_back(test::copy_of(Bytes(out).first(sent->size)));
  }
}

bool Device::on_delivered(Bytes data) {
  const Buffer text = test::copy_of(data);
  SLUICE_CHECK(said_.contains(text));
  return delivered_.insert(text).second;
}

Environment& fresh_environment() {
  Environment& environment = own_environment();
  random_source().restart(2);
  return environment;
}

const SleepingDevices& sleeping_devices(ReturnRoutability kind) {
  static const SleepingDevices kUnchecked = make_devices(ReturnRoutability::none);
  static const SleepingDevices kChecked = make_devices(ReturnRoutability::basic);
  return kind == ReturnRoutability::none ? kUnchecked : kChecked;
}

UdpPath device_path(unsigned number) {
  return {.peer = {Ipv4Address{10, 0, 0, static_cast<std::uint8_t>(number % 2)},
                   static_cast<std::uint16_t>(number)}};
}

}  // namespace sluice::fuzz
