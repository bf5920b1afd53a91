// Thousands of devices that sleep, wake at other addresses and move between two servers that share
// a store of live sessions, over lossy paths, while somebody repeats their datagrams and makes up
// others; the store is slow, full and gone. A failure prints its seed: SLUICE_SIM_SEED=<seed> runs
// that one.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "sim/fleet_server.h"
#include "support/endpoint_host.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

using dtls::Buffer;
using dtls::Bytes;
using dtls::Duration;
using dtls::Instant;
using dtls::ProtocolVersion;
using dtls::UdpPath;

#ifdef NDEBUG
constexpr std::uint32_t kDevices = 3'000;
#else
constexpr std::uint32_t kDevices = 600;
#endif
constexpr double kLoss = 0.2;
constexpr double kTwice = 0.05;
constexpr double kRepeated = 0.01;  // from elsewhere, long after
constexpr double kMadeUp = 0.005;   // connection IDs
// With more sleepers the store is full.
constexpr std::size_t kMaxStored = kDevices * 6 / 10;
constexpr std::size_t kMaxWanted = 256;

constexpr Duration kLastWake = 360s;
constexpr Duration kQuiet = 520s;
constexpr Duration kEnd = kQuiet + 2 * Duration(FleetServer::kLifetime) + 60s;
constexpr Duration kRepetition = 1s;
// Of a handshake. A server whose last flight is lost may put the session to sleep meanwhile.
constexpr Duration kPatience = 30s;
// So many in a row are lost, the echoes included, to one device of the fleet in a million runs.
constexpr unsigned kTries = 60;
constexpr std::uint32_t kStrangers = 0x10000;  // their hosts

dtls::ConfigPtr fleet_config(ProtocolVersion highest, std::size_t id_size) {
  dtls::ConfigOptions options;
  options.pre_shared_keys = {must(dtls::PreSharedKey::make(bytes_of("device"), counted(32)))};
  options.srtp_profiles.clear();
  options.max_version = highest;
  options.cipher_suites = {dtls::CipherSuite::aes_128_gcm_sha256,
                           dtls::CipherSuite::psk_with_aes_128_gcm_sha256};
  options.connection_id_size = id_size;
  options.timers.total = kPatience;
  return must(dtls::Config::make(std::move(options)));
}

class SleepingFleet {
 public:
  explicit SleepingFleet(std::uint64_t seed)
      : schedule_(seed),
        random_(seed),
        environment_(must(dtls::Environment::make({.random = &random_}))),
        store_(schedule_, kMaxStored),
        devices_(kDevices) {
    must(keys_.add(dtls::StateKeyId{1}, counted(dtls::StateKeys::kKeySize)));
    for (unsigned number = 0; number < 2; ++number) add_server(number);
    for (std::uint32_t i = 0; i < kDevices; ++i) {
      devices_[i].path = path_of(i);
      devices_[i].server = i % 2;
      schedule_.plan(schedule_.between({}, 30s), [this, i] { begin(i); });
    }
    schedule_.plan(130s, [this] { store_.be_slow(); });
    schedule_.plan(180s, [this] { store_.go(); });
    schedule_.plan(200s, [this] { store_.be_good(); });
    schedule_.plan(10s, [this] { inspect(); });
  }

  // Why it went wrong; empty when it did not.
  std::string run() {
    run_until(Instant{kQuiet});
    for (std::uint32_t i = 0; i < kDevices; ++i) {
      const Device& device = devices_[i];
      if (!places_.fault().empty()) break;
      if (!device.is_answered) places_.fail("device " + std::to_string(i) + " has no answer");
      if (device.handshakes != 1 + device.losses) {
        places_.fail("device " + std::to_string(i) + " has made " +
                     std::to_string(device.handshakes) + " handshakes for " +
                     std::to_string(device.losses) + " lost sessions");
      }
    }
    run_until(Instant{kEnd});
    report();
    if (places_.fault().empty()) check_end();
    return places_.fault();
  }

 private:
  struct Device {
    std::optional<Peer> peer;
    UdpPath path;
    unsigned server = 0;
    unsigned handshakes = 0;
    unsigned losses = 0;
    std::uint32_t request = 0;
    unsigned tries = 0;
    bool is_answered = false;
    // While it asks: the other server has kept its session, where the store was full or gone.
    bool is_kept_elsewhere = false;
    std::set<Buffer> sent = {};
    std::set<Buffer> echoed = {};
  };

  void add_server(unsigned number) {
    dtls::EndpointOptions options;
    options.server = fleet_config(ProtocolVersion::dtls13, 8);
    options.max_connections = 2 * std::size_t{kDevices};
    options.max_half_open = kDevices;
    options.age_after = 10s;
    options.waking = {.max_wanted = kMaxWanted, .timeout = 2s};
    servers_[number] = std::make_unique<FleetServer>(
        number,
        FleetServer::Surroundings{
            schedule_, store_, places_, environment_, keys_,
            [this](const UdpPath& to, const Buffer& datagram) { to_device(to, datagram); },
            [this](Bytes data) { on_request(data); }},
        options);
  }

  void run_until(Instant limit) {
    while (places_.fault().empty()) {
      Instant next = schedule_.next();
      FleetServer* timer_of = nullptr;
      for (const auto& server : servers_) {
        const auto timer = server->endpoint().next_timeout();
        if (!timer || *timer >= next) continue;
        next = *timer;
        timer_of = server.get();
      }
      if (next > limit) return schedule_.advance(limit);
      schedule_.advance(next);
      if (timer_of != nullptr) {
        timer_of->handle_timeout();
      } else {
        schedule_.happen();
      }
    }
  }

  // ---- the network

  static std::uint32_t host_of(const UdpPath& path) {
    const auto& octets = std::get<dtls::Ipv4Address>(path.peer.address);
    std::uint32_t number = 0;
    for (const auto octet : octets) number = number << 8 | octet;
    return number - (192U << 24 | 2U << 8);
  }
  [[nodiscard]] int copies() {
    const int sent = schedule_.chance(kTwice) ? 2 : 1;
    int arriving = 0;
    for (int i = 0; i < sent; ++i) arriving += schedule_.chance(kLoss) ? 0 : 1;
    return arriving;
  }
  void deliver(unsigned server, const UdpPath& from, const Buffer& datagram, Duration delay) {
    schedule_.plan(delay,
                   [this, server, from, datagram] { servers_[server]->receive(datagram, from); });
  }

  void to_server(std::uint32_t i, const Buffer& datagram) {
    const Device& device = devices_[i];
    ++datagrams_;
    for (int copy = copies(); copy > 0; --copy) {
      deliver(device.server, device.path, datagram, schedule_.between(20ms, 80ms));
    }
    const auto stranger = path_of(kStrangers + i);
    const auto server = static_cast<unsigned>(schedule_.number() % 2);
    if (schedule_.chance(kRepeated)) {
      from_strangers_ += datagram.size();
      deliver(server, stranger, datagram, schedule_.between(10s, 40s));
    }
    if (schedule_.chance(kMadeUp)) {
      Buffer made_up = datagram;
      for (std::size_t at = 1; at < std::min<std::size_t>(19, made_up.size()); ++at) {
        if (at < 3 || at > 10) made_up[at] = static_cast<std::byte>(schedule_.number());
      }
      from_strangers_ += made_up.size();
      deliver(server, stranger, made_up, 20ms);
    }
  }

  void to_device(const UdpPath& to, const Buffer& datagram) {
    const std::uint32_t i = host_of(to);
    if (i >= kDevices) {
      to_strangers_ += datagram.size();
      return;
    }
    for (int copy = copies(); copy > 0; --copy) {
      schedule_.plan(schedule_.between(20ms, 80ms), [this, i, to, datagram] {
        // A NAT forgets the addresses that it gave before.
        if (devices_[i].path != to) return;
        devices_[i].peer->receive(datagram, schedule_.now());
        flush(i);
      });
    }
  }

  // ---- devices

  void begin(std::uint32_t i) {
    Device& device = devices_[i];
    device.peer.emplace(must(dtls::Connection::client(i % 10 == 0 ? config13_ : config12_,
                                                      environment_, kPath, schedule_.now())));
    flush(i);
  }

  void flush(std::uint32_t i) {
    Device& device = devices_[i];
    Peer& peer = *device.peer;
    for (const Buffer& datagram : peer.take_datagrams()) to_server(i, datagram);
    if (peer.connected && peer.connected_at) {
      peer.connected_at.reset();
      ++device.handshakes;
      request(i);
    }
    for (const Buffer& echo : std::exchange(peer.data, {})) on_echo(i, echo);
    if (peer.error) return on_error(i, *peer.error);
    const auto timer = peer.connection().next_timeout();
    if (!timer) return;
    schedule_.plan(std::max(*timer, schedule_.now()) - schedule_.now(), [this, i] { ring(i); });
  }

  void on_error(std::uint32_t i, const dtls::Error& error) {
    if (error.code != dtls::Errc::handshake_timeout) {
      return places_.fail("device " + std::to_string(i) + ": " + to_string(error));
    }
    ++timeouts_;
    begin(i);
  }

  void ring(std::uint32_t i) {
    Peer& peer = *devices_[i].peer;
    const auto timer = peer.connection().next_timeout();
    if (!timer || schedule_.now() < *timer) return;  // another has taken its place
    peer.settle(peer.connection().handle_timeout(schedule_.now()), schedule_.now());
    flush(i);
  }

  void request(std::uint32_t i) {
    Device& device = devices_[i];
    ++device.request;
    device.tries = 0;
    device.is_answered = device.is_kept_elsewhere = false;
    repeat(i, device.request);
  }

  // Each record has another text.
  static Buffer text_of(std::uint32_t i, std::uint32_t request, unsigned attempt) {
    const std::string text = std::to_string(i) + " " + std::to_string(request) + " " +
                             std::to_string(attempt) + " is it there?";
    return copy_of(bytes_of(text));
  }

  void repeat(std::uint32_t i, std::uint32_t request) {
    Device& device = devices_[i];
    if (device.is_answered || device.request != request) return;
    const Place place = place_of_session(device);
    device.is_kept_elsewhere |= place == server_place(1 - device.server);
    if (device.tries == kTries) return give_up(i, place);
    const Buffer text = text_of(i, request, ++device.tries);
    device.sent.insert(text);
    to_server(i, device.peer->seal(text));
    schedule_.plan(kRepetition, [this, i, request] { repeat(i, request); });
  }

  void on_echo(std::uint32_t i, const Buffer& echo) {
    Device& device = devices_[i];
    if (!device.sent.contains(echo)) return places_.fail("an echo of nothing");
    if (!device.echoed.insert(echo).second) return places_.fail("an echo that comes twice");
    ++echoes_;
    bool is_of_request = false;
    for (unsigned attempt = 1; attempt <= device.tries; ++attempt) {
      is_of_request |= echo == text_of(i, device.request, attempt);
    }
    if (!is_of_request || device.is_answered) return;
    device.is_answered = true;
    if (schedule_.now() > Instant{kLastWake - 60s}) return;
    schedule_.plan(schedule_.between(15s, 60s), [this, i] { wake(i); });
  }

  void wake(std::uint32_t i) {
    Device& device = devices_[i];
    if (schedule_.chance(0.5)) {
      ++device.path.peer.port;
      ++moves_;
    }
    if (schedule_.chance(0.3)) {
      device.server = 1 - device.server;
      ++changes_;
    }
    request(i);
  }

  [[nodiscard]] Place place_of_session(const Device& device) const {
    return places_.of(copy_of(device.peer->connection().info()->peer_connection_id.bytes()));
  }

  // Otherwise its session was to be found.
  void give_up(std::uint32_t i, Place place) {
    Device& device = devices_[i];
    if (place != Place::lost && !device.is_kept_elsewhere) {
      return places_.fail("device " + std::to_string(i) +
                          " finds its session no more, which is in " +
                          std::to_string(static_cast<int>(place)));
    }
    ++device.losses;
    ++losses_;
    begin(i);
  }

  // ---- servers

  // No record is received twice, wherever its session was meanwhile.
  void on_request(Bytes data) {
    if (!received_.insert(copy_of(data)).second) places_.fail("a record is received twice");
  }

  void inspect() {
    for (const auto& server : servers_) server->check_places();
    if (store_.count() != places_.count(Place::store)) places_.fail("the store has others");
    if (to_strangers_ > 3 * from_strangers_) places_.fail("strangers draw more than they send");
    if (schedule_.now() < Instant{kQuiet}) schedule_.plan(10s, [this] { inspect(); });
  }

  void report() const {
    std::cout << kDevices << " devices, " << datagrams_ << " datagrams, " << received_.size()
              << " requests, " << echoes_ << " echoes; " << moves_ << " other addresses, "
              << changes_ << " other servers; " << losses_ << " sessions lost, " << timeouts_
              << " handshakes begun again\n";
    for (const auto& server : servers_) {
      const auto& counts = server->counts();
      const auto& of = server->endpoint().statistics();
      std::cout << "server: " << of.connected << " handshakes, " << of.aged << " asleep, "
                << counts.woken << " woken, " << of.moves << " moves; kept " << counts.kept
                << ", late " << counts.late << ", none " << counts.none << ", unknown "
                << counts.lost << "; questions " << of.wanted << ", without answer "
                << of.wanted_expired << ", dropped datagrams " << of.wanted_dropped << "\n";
    }
  }

  // All sessions have gone to sleep, and have expired there.
  void check_end() {
    if (store_.count() != 0 || store_.pending() != 0) places_.fail("the store is not empty");
    FleetServer::Counts all;
    for (const auto& server : servers_) {
      const dtls::Endpoint& endpoint = server->endpoint();
      if (endpoint.size() != 0 || endpoint.half_open() != 0 || endpoint.next_timeout()) {
        places_.fail("an Endpoint is not empty");
      }
      const auto& counted = endpoint.statistics();
      std::uint64_t ended = counted.aged;
      for (const auto count : counted.ended) ended += count;
      if (ended != counted.accepted + counted.adopted) places_.fail("not each has ended once");
      all.kept += server->counts().kept;
      all.late += server->counts().late;
      all.none += server->counts().none;
      all.lost += server->counts().lost;
      all.woken += server->counts().woken;
    }
    // All that was to happen has happened.
    const auto each = {all.kept, all.late, all.none, all.lost, losses_, moves_, changes_};
    if (std::ranges::min(each) == 0) places_.fail("something did not happen");
    if (all.woken < kDevices) places_.fail("few have slept");
  }

  Schedule schedule_;
  SeededRandom random_;
  dtls::Environment environment_;
  dtls::StateKeys keys_;
  dtls::ConfigPtr config12_ = fleet_config(ProtocolVersion::dtls12, 0);
  dtls::ConfigPtr config13_ = fleet_config(ProtocolVersion::dtls13, 0);
  SharedStore store_;
  SessionPlaces places_;
  std::array<std::unique_ptr<FleetServer>, 2> servers_;
  std::vector<Device> devices_;
  std::set<Buffer> received_;
  std::uint64_t datagrams_ = 0;
  std::uint64_t echoes_ = 0;
  std::uint64_t moves_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t losses_ = 0;
  std::uint64_t timeouts_ = 0;
  std::uint64_t from_strangers_ = 0;
  std::uint64_t to_strangers_ = 0;
};

TEST(SleepingFleetSim, EachSessionIsInOnePlaceAndGoesOn) {
  const char* only = std::getenv("SLUICE_SIM_SEED");
  const std::uint64_t seed = only != nullptr ? std::strtoull(only, nullptr, 10) : 1;
  const std::string why = SleepingFleet(seed).run();
  EXPECT_TRUE(why.empty()) << "seed " << seed << ": " << why;
}

}  // namespace
}  // namespace sluice::test
