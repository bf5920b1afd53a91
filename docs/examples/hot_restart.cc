// A media server that is restarted while its sessions go on: all of them are exported from one
// IceLiteServer, kept sealed, and restored in another, as the next process does. The peer, which
// stands for a browser, sees neither an ICE nor a DTLS handshake.
#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/dtls/identity.h>
#include <sluice/dtls/state_keys.h>
#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/stun/integrity.h>
#include <sluice/stun/writer.h>

namespace dtls = sluice::dtls;
namespace ice_lite = sluice::ice_lite;
namespace srtp = sluice::srtp;
namespace stun = sluice::stun;
namespace transport = sluice::transport;

static dtls::Bytes context() { return std::as_bytes(std::span("media server: sessions")); }

// At the end of a process, when the outputs are drained. In the real one each state goes into the
// file together with what the server itself keeps of that session, found by `moved.session`.
static std::vector<dtls::Buffer> save_sessions(ice_lite::IceLiteServer& server,
                                               const dtls::StateKeys& keys,
                                               dtls::Environment& environment, dtls::Instant now) {
  auto exported = server.export_sessions(now);
  // Their handshakes are under way: close them, or serve them until they can move.
  for (const auto& stayed : exported.stayed) std::cerr << to_string(stayed.error) << '\n';
  std::vector<dtls::Buffer> saved;
  for (const auto& moved : exported.moved) {
    auto sealed = keys.seal(environment, moved.state.bytes(), context());
    if (sealed) saved.push_back(*std::move(sealed));
  }
  return saved;
}

// At the beginning of the next process, before it reads from the socket. `config` is that of new
// sessions; `away` is the time since save_sessions(), by a clock that both processes have.
static dtls::Result<ice_lite::SessionHandle> restore_session(
    ice_lite::IceLiteServer& server, dtls::Bytes saved, const dtls::StateKeys& keys,
    const dtls::ConfigPtr& config, dtls::Environment& environment, dtls::Duration away,
    dtls::Instant now) {
  const auto state = keys.open(environment, saved, context());
  if (!state) return dtls::forward_error(state);
  auto parsed = ice_lite::SessionState::parse(state->bytes());
  if (!parsed) return dtls::forward_error(parsed);
  return server.restore(*std::move(parsed), {.transport = {.dtls = config}, .away = away}, now);
}

// ---- both ends, without sockets

static constexpr dtls::UdpPath kPath{.peer = {dtls::Ipv4Address{192, 0, 2, 1}, 5000}};
static constexpr dtls::PathId kPeersPath{1};
static constexpr dtls::Instant kNow{std::chrono::hours{1}};
static constexpr std::size_t kRtpSize = 12 + 160;

struct Peer {
  dtls::Environment environment = dtls::Environment::make().value();
  dtls::Identity identity = dtls::Identity::self_signed(environment).value();
  dtls::ConfigPtr config = dtls::Config::make({.identities = {identity}}).value();
  transport::MediaTransport media =
      transport::MediaTransport::make({.dtls = config}, environment).value();
  int handshakes = 0;
  int rtp_received = 0;

  dtls::Fingerprint fingerprint() {
    return dtls::Fingerprint::of(identity.certificate(), dtls::HashAlgorithm::sha256, environment)
        .value();
  }
};

template <class Outcome>
static void report(const Outcome& outcome) {
  if (!outcome) std::cerr << to_string(outcome.error()) << '\n';
}

// What one end has to send reaches the other, until neither has anything.
static void exchange(ice_lite::IceLiteServer& server, Peer& peer) {
  std::array<std::byte, dtls::kMaxDatagram> datagram{};
  bool goes_on = true;
  while (std::exchange(goes_on, false)) {
    while (const auto sent = server.poll_transmit(datagram)) {
      goes_on = true;
      const auto bytes = std::span(datagram).first(sent->size);
      const bool is_response = transport::classify(bytes) == transport::PacketClass::stun;
      report(is_response ? peer.media.path_selected(kPeersPath, std::nullopt, kNow)
                         : peer.media.handle_datagram(bytes, kPeersPath, kNow));
      while (const auto packet = peer.media.poll_media()) ++peer.rtp_received;
      while (const auto event = peer.media.poll_event()) ++peer.handshakes;
    }
    while (const auto sent = peer.media.poll_transmit(datagram)) {
      goes_on = true;
      server.handle_datagram(std::span(datagram).first(sent->size), kPath, kNow);
    }
    while (const auto event = server.poll_event()) goes_on = true;
  }
}

static bool send_check(ice_lite::IceLiteServer& server, Peer& peer,
                       const ice_lite::Credentials& credentials) {
  const auto key = stun::IntegrityKey::make(peer.environment, credentials.pwd);
  if (!key) return false;
  std::array<std::byte, 200> check{};
  stun::Writer writer(check, stun::MessageClass::request, stun::Method::binding, {});
  writer.username(credentials.ufrag + ":peer");
  writer.priority(1);
  writer.ice_controlling(1);
  writer.use_candidate();
  const auto size = writer.finish(peer.environment, *key);
  if (size) server.handle_datagram(std::span(check).first(*size), kPath, kNow);
  return size.has_value();
}

// One packet to the server, and back from there.
static void echo(ice_lite::IceLiteServer& server, Peer& peer, std::uint8_t sequence_number) {
  std::array<std::byte, kRtpSize + srtp::kMaxTrailer> packet{std::byte{0x80}, std::byte{111}};
  packet[3] = std::byte{sequence_number};
  const auto size = peer.media.protect_rtp(packet, kRtpSize);
  if (!size) return;
  server.handle_datagram(std::span(packet).first(*size), kPath, kNow);
  while (const auto media = server.poll_media()) {
    std::array<std::byte, kRtpSize + srtp::kMaxTrailer> back{};
    std::ranges::copy(media->packet, back.begin());
    const auto sent = server.protect_rtp(media->session, back, media->packet.size());
    if (!sent) continue;
    report(peer.media.handle_datagram(std::span(back).first(sent->size), kPeersPath, kNow));
    while (const auto received = peer.media.poll_media()) ++peer.rtp_received;
  }
}

int main() {
  auto environment = dtls::Environment::make().value();
  const auto identity = dtls::Identity::self_signed(environment).value();
  const auto config = dtls::Config::make({.identities = {identity}}).value();
  const auto print =
      dtls::Fingerprint::of(identity.certificate(), dtls::HashAlgorithm::sha256, environment)
          .value();
  // From a file that only the server can read, in every process the same.
  dtls::StateKeys keys;
  report(keys.add(dtls::StateKeyId{1}, dtls::Buffer(dtls::StateKeys::kKeySize, std::byte{42})));

  Peer peer;
  auto server = ice_lite::IceLiteServer::make({}, environment).value();
  ice_lite::SessionOptions options;
  options.transport.dtls = config;
  options.remote_ufrag = "peer";
  options.peer_fingerprints = {peer.fingerprint()};
  auto session = server.add_session(options, kNow).value();
  report(peer.media.start(dtls::Role::client, kNow));
  report(peer.media.set_peer_fingerprints({{print}}, kNow));
  if (!send_check(server, peer, server.local_credentials(session).value())) return 1;
  exchange(server, peer);

  for (std::uint8_t i = 0; i < 100; ++i) {
    if (i == 50) {
      const auto saved = save_sessions(server, keys, environment, kNow);
      server = ice_lite::IceLiteServer::make({}, environment).value();
      for (const auto& each : saved) {
        const auto restored = restore_session(server, each, keys, config, environment,
                                              std::chrono::milliseconds{50}, kNow);
        report(restored);
        if (restored) session = *restored;
      }
    }
    echo(server, peer, i);
  }
  std::cout << peer.rtp_received << " RTP packets are back, after " << peer.handshakes
            << " handshake\n";
  return peer.rtp_received == 100 && peer.handshakes == 1 && server.path_of(session) ? 0 : 1;
}
