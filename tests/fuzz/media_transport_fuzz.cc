// Two MediaTransports whose network, signalling and clock the input commands: any datagram at any
// time. Whatever comes, what one end hands out is what the other has sent, at most once, and only
// after the peer was accepted by its true fingerprint.
#include <sluice/transport/media_transport.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <vector>

#include "support/rtp_packets.h"

namespace sluice::transport {
namespace {

using namespace std::chrono_literals;
using test::Packet;

void require(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "broken: " << what << '\n';
  std::abort();
}

// The same bytes for the same input, so that a crash can be replayed.
class ReplayableRandom : public dtls::RandomSource {
 public:
  void fill(MutableBytes out) override {
    for (auto& byte : out) byte = static_cast<std::byte>(engine_() & 0xff);
  }
  void reset() { engine_.seed(1); }

 private:
  std::mt19937 engine_{1};
};

// What all inputs share, since making it costs more than running one.
struct World {
  ReplayableRandom random;
  dtls::Environment environment = dtls::Environment::make({.random = &random}).value();
  std::array<dtls::Identity, 2> identities = {make_identity(), make_identity()};
  std::array<dtls::ConfigPtr, 2> configs = {make_config(0), make_config(1)};
  std::array<dtls::Fingerprint, 2> fingerprints = {make_fingerprint(0), make_fingerprint(1)};
  dtls::Fingerprint wrong{.hash = dtls::HashAlgorithm::sha256,
                          .value = dtls::Buffer(32, std::byte{1})};

  dtls::Identity make_identity() { return dtls::Identity::self_signed(environment).value(); }
  dtls::ConfigPtr make_config(std::size_t end) {
    return dtls::Config::make({.identities = {identities[end]}}).value();
  }
  dtls::Fingerprint make_fingerprint(std::size_t end) {
    return dtls::Fingerprint::of(identities[end].certificate(), dtls::HashAlgorithm::sha256,
                                 environment)
        .value();
  }
};

World& world() {
  static World shared;
  return shared;
}

// The input, as the choices it makes; zeros when it is used up.
class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> input) : input_(input) {}

  [[nodiscard]] bool more() const { return !input_.empty(); }
  std::uint8_t byte() {
    if (input_.empty()) return 0;
    const auto value = input_.front();
    input_ = input_.subspan(1);
    return value;
  }
  std::size_t two_bytes() {
    const std::size_t high = byte();
    return high << 8 | byte();
  }
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : byte() % limit; }
  Packet bytes(std::size_t size) {
    Packet taken;
    while (taken.size() < size && more()) taken.push_back(static_cast<std::byte>(byte()));
    return taken;
  }

 private:
  std::span<const std::uint8_t> input_;
};

struct End {
  MediaTransport transport;
  bool accepted_once = false;  // was told the true fingerprint, now or before
  bool connected = false;
  std::set<Packet> sent = {};    // each once
  std::set<Packet> handed = {};  // out, to this end's user
};

class Game {
 public:
  explicit Game(std::span<const std::uint8_t> input) : choices_(input) {
    world().random.reset();
    for (std::size_t end = 0; end < 2; ++end) {
      ends_.push_back(
          {.transport =
               MediaTransport::make({.dtls = world().configs[end]}, world().environment).value()});
    }
  }

  void play() {
    // Half of the inputs begin on the way to a call.
    if (choices_.below(2) == 0) prepare();
    for (int moves = 0; choices_.more() && moves < 400; ++moves) move();
  }

 private:
  static constexpr std::size_t kMaxOnTheWay = 64;

  struct Datagram {
    std::size_t to;
    PathId path;
    Packet bytes;
  };

  void prepare() {
    start(0, dtls::Role::client);
    start(1, dtls::Role::server);
    for (const std::size_t end : {1U, 0U}) {
      announce(end, true);
      settle(end, ends_[end].transport.path_selected(PathId{0}, 10ms, now_));
    }
    for (auto flights = choices_.below(8); flights > 0; --flights) deliver_all();
  }

  void move() {
    const auto end = choices_.below(2);
    auto& transport = ends_[end].transport;
    switch (choices_.below(18)) {
      case 0:
        return deliver_all();
      case 1:
        return pass_time();
      case 2:
        return on_the_way(&Game::deliver);
      case 3:
        return on_the_way(&Game::lose);
      case 4:
        return on_the_way(&Game::repeat);
      case 5:
        return on_the_way(&Game::damage);
      case 6:
        return on_the_way(&Game::delay);
      case 7:
        return inject(end, choices_.bytes(choices_.byte()));
      case 8:
        return send(end, MediaKind::rtp);
      case 9:
        return send(end, MediaKind::rtcp);
      case 10:
        return send_data(end);
      case 11:
        return announce(end, choices_.below(8) != 0);
      case 12:
        return settle(end, transport.path_validated(path(), now_));
      case 13:
        return select(end);
      case 14:
        return transport.path_removed(path());
      case 15:
        return restart(end);
      case 16:
        return rare(end);
      default:
        return remove_ssrc(end);
    }
  }

  void rare(std::size_t end) {
    auto& transport = ends_[end].transport;
    switch (choices_.below(8)) {
      case 0:
        return settle(end, transport.close(now_));
      case 1:
        return start(end, choices_.below(2) ? dtls::Role::client : dtls::Role::server);
      case 2:
        return transport.set_path_mtu(200 + 8 * std::size_t{choices_.byte()});
      case 3:
        ends_[end].transport = std::move(transport);
        return;
      case 4:
        return export_and_restore(end);
      default:
        return deliver_all();
    }
  }

  void export_and_restore(std::size_t end) {
    auto& transport = ends_[end].transport;
    const auto path = transport.path();
    const auto blocked = transport.export_blocked();
    auto state = std::move(transport).export_session();
    require(state.has_value() != blocked.has_value(), "export_blocked() tells");
    if (!state) return;
    // NOLINTNEXTLINE(bugprone-use-after-move)
    require(transport.ended(), "an export ends its source");
    auto parsed = TransportState::parse(state->bytes());
    require(parsed.has_value(), "an exported state can be read");
    auto restored = MediaTransport::restore({.dtls = world().configs[end]}, world().environment,
                                            std::move(*parsed), now_);
    require(restored.has_value(), "an exported state can be restored");
    require(restored->connected() && restored->path() == path, "a call goes on where it was");
    transport = std::move(*restored);
    damage_state(end, *state);
  }
  // Whatever is in a state, reading it does no harm.
  void damage_state(std::size_t end, const TransportState& state) {
    Packet damaged(state.bytes().begin(), state.bytes().end());
    damaged[choices_.two_bytes() % damaged.size()] ^= static_cast<std::byte>(choices_.byte());
    if (choices_.below(4) == 0) damaged.resize(choices_.two_bytes() % damaged.size());
    auto parsed = TransportState::parse(damaged);
    if (!parsed) return;
    auto restored = MediaTransport::restore({.dtls = world().configs[end]}, world().environment,
                                            std::move(*parsed), now_);
    if (restored) static_cast<void>(std::move(*restored).export_session());
  }

  // ---- time and the network

  void pass_time() {
    now_ += 20ms * choices_.byte();
    for (std::size_t end = 0; end < 2; ++end) {
      auto& transport = ends_[end].transport;
      const auto timeout = transport.next_timeout();
      if (!timeout || *timeout > now_) continue;
      settle(end, transport.handle_timeout(now_));
      const auto next = transport.next_timeout();
      require(!next || *next > now_, "a timeout that was handled is over");
    }
  }

  PathId path() { return PathId{static_cast<std::uint32_t>(choices_.below(3))}; }

  void deliver_all() {
    auto all = std::exchange(on_the_way_, {});
    for (auto& datagram : all) deliver(datagram);
  }
  void on_the_way(void (Game::*what)(Datagram&)) {
    if (on_the_way_.empty()) return;
    auto datagram = std::move(on_the_way_.front());
    on_the_way_.pop_front();
    (this->*what)(datagram);
  }
  void deliver(Datagram& datagram) {
    settle(datagram.to,
           ends_[datagram.to].transport.handle_datagram(datagram.bytes, datagram.path, now_));
  }
  void lose(Datagram&) {}
  void repeat(Datagram& datagram) {
    on_the_way_.push_back(datagram);
    deliver(datagram);
  }
  void damage(Datagram& datagram) {
    const auto place = choices_.two_bytes() % datagram.bytes.size();
    datagram.bytes[place] ^= static_cast<std::byte>(choices_.byte());
    if (choices_.below(4) == 0) datagram.bytes.resize(place);
    deliver(datagram);
  }
  void delay(Datagram& datagram) { on_the_way_.push_back(std::move(datagram)); }
  void inject(std::size_t to, Packet bytes) {
    Datagram datagram{.to = to, .path = path(), .bytes = std::move(bytes)};
    deliver(datagram);
  }
  void post(std::size_t from, const Packet& bytes, PathId path) {
    if (on_the_way_.size() == kMaxOnTheWay) on_the_way_.pop_front();
    if (!bytes.empty()) on_the_way_.push_back({.to = 1 - from, .path = path, .bytes = bytes});
  }

  // ---- signalling and ICE

  void select(std::size_t end) {
    const auto selected = path();
    const auto rtt = 1ms * choices_.byte();
    settle(end, ends_[end].transport.path_selected(selected, rtt, now_));
  }

  void start(std::size_t end, dtls::Role role) {
    settle(end, ends_[end].transport.start(role, now_));
  }
  void announce(std::size_t end, bool truly) {
    const auto& fingerprint = truly ? world().fingerprints[1 - end] : world().wrong;
    ends_[end].accepted_once |= truly;
    settle(end, ends_[end].transport.set_peer_fingerprints({&fingerprint, 1}, now_));
  }
  void restart(std::size_t end) {
    const auto role = choices_.below(2) ? dtls::Role::client : dtls::Role::server;
    const auto known = choices_.below(3);
    const auto& fingerprint = known == 1 ? world().wrong : world().fingerprints[1 - end];
    ends_[end].accepted_once |= known == 0;
    const std::span<const dtls::Fingerprint> announced(&fingerprint, known == 2 ? 0 : 1);
    settle(end, ends_[end].transport.restart(role, announced, now_));
  }

  // ---- media and data, each packet unlike all others

  void send(std::size_t from, MediaKind kind) {
    auto& transport = ends_[from].transport;
    const auto ssrc = static_cast<std::uint32_t>(choices_.below(70));
    Packet packet = kind == MediaKind::rtp
                        ? test::make_rtp({.ssrc = ssrc, .sequence = ++sequence_, .payload = 20})
                        : test::make_rtcp(ssrc);
    packet.back() = static_cast<std::byte>(++serial_ & 0xff);
    packet[packet.size() - 2] = static_cast<std::byte>(serial_ >> 8 & 0xff);
    const auto plain = packet;
    packet.resize(plain.size() + srtp::kMaxTrailer);
    const auto size = kind == MediaKind::rtp ? transport.protect_rtp(packet, plain.size())
                                             : transport.protect_rtcp(packet, plain.size());
    if (!size) return;
    require(ends_[from].connected, "media is sent only after TransportConnected");
    packet.resize(*size);
    ends_[from].sent.insert(plain);
    post(from, packet, transport.path().value_or(PathId{0}));
  }

  void send_data(std::size_t from) {
    ++serial_;
    const Packet plain{std::byte{0xda}, static_cast<std::byte>(serial_ & 0xff),
                       static_cast<std::byte>(serial_ >> 8 & 0xff)};
    Packet record(plain.size() + dtls::kSealOverhead);
    const auto size = ends_[from].transport.seal_data(plain, record);
    if (!size) return;
    require(ends_[from].connected, "data is sent only after TransportConnected");
    record.resize(*size);
    ends_[from].sent.insert(plain);
    post(from, record, ends_[from].transport.path().value_or(PathId{0}));
  }

  void remove_ssrc(std::size_t end) {
    if (auto* session = ends_[end].transport.srtp_session()) {
      const auto choice = static_cast<std::uint32_t>(choices_.byte());
      const auto direction =
          (choice & 0x80) != 0 ? srtp::Direction::inbound : srtp::Direction::outbound;
      session->remove_ssrc(direction, choice & 0x7f);
    }
  }

  // ---- outputs

  void settle(std::size_t end, const dtls::Result<TransportPending>& outcome) {
    static_cast<void>(outcome);
    auto& self = ends_[end];
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
    std::array<std::byte, dtls::kMaxDatagram> buffer;
    for (int datagrams = 0; const auto transmit = self.transport.poll_transmit(buffer);
         ++datagrams) {
      require(datagrams < 200, "the datagrams of one round are few");
      require(transmit->size > 0 && transmit->size <= buffer.size(), "a datagram has a size");
      post(end,
           Packet(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(transmit->size)),
           transmit->path);
    }
    // TransportConnected comes in the same round as what waited for it.
    std::vector<Packet> out;
    while (const auto data = self.transport.poll_data())
      out.emplace_back(data->begin(), data->end());
    while (const auto media = self.transport.poll_media()) {
      out.emplace_back(media->packet.begin(), media->packet.end());
    }
    while (const auto event = self.transport.poll_event()) {
      if (!std::holds_alternative<TransportConnected>(*event)) continue;
      require(self.accepted_once, "a peer is accepted by its fingerprint");
      self.connected = true;
    }
    for (auto& packet : out) {
      require(self.connected, "nothing is handed out before TransportConnected");
      require(ends_[1 - end].sent.contains(packet), "what is handed out was sent by the peer");
      require(self.handed.insert(std::move(packet)).second, "nothing is handed out twice");
    }
  }

  Choices choices_;
  std::vector<End> ends_;
  std::deque<Datagram> on_the_way_;
  Instant now_ = Instant(1h);
  std::uint16_t sequence_ = 65000;
  std::uint32_t serial_ = 0;
};

}  // namespace
}  // namespace sluice::transport

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::transport::Game({data, size}).play();
  return 0;
}
