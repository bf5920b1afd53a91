// A call that moves: one side is exported, as at the end of a process, and goes on from the bytes.
#include <sluice/dtls/identity.h>
#include <sluice/transport/media_transport.h>

#include <array>
#include <cstdint>
#include <iostream>
#include <utility>

namespace dtls = sluice::dtls;
namespace srtp = sluice::srtp;
namespace transport = sluice::transport;

// Ends the transport. Empty: not now, see export_blocked(); the call goes on.
static dtls::Buffer save_call(transport::MediaTransport& media) {
  const auto state = std::move(media).export_session();
  if (!state) return {};
  return {state->bytes().begin(), state->bytes().end()};  // keep it sealed: dtls::StateKeys
}

// `config` and the options are those of a new call: the same certificate, profiles and limits.
static dtls::Result<transport::MediaTransport> continue_call(dtls::Bytes saved,
                                                             const dtls::ConfigPtr& config,
                                                             dtls::Environment& environment,
                                                             dtls::Instant now) {
  return transport::TransportState::parse(saved).and_then([&](transport::TransportState state) {
    return transport::MediaTransport::restore({.dtls = config}, environment, std::move(state), now);
  });
}

static constexpr dtls::PathId kPath{1};
static constexpr dtls::Instant kNow{};
static constexpr std::size_t kRtpSize = 12 + 160;

struct Peer {
  dtls::Environment environment = dtls::Environment::make().value();
  dtls::Identity identity = dtls::Identity::self_signed(environment).value();
  dtls::ConfigPtr config = dtls::Config::make({.identities = {identity}}).value();
  transport::MediaTransport media =
      transport::MediaTransport::make({.dtls = config}, environment).value();
  int rtp_received = 0;

  dtls::Fingerprint fingerprint() {
    return dtls::Fingerprint::of(identity.certificate(), dtls::HashAlgorithm::sha256, environment)
        .value();
  }
};

static void report(const dtls::Result<transport::TransportPending>& input) {
  if (!input) std::cerr << to_string(input.error()) << '\n';
}

static void receive(Peer& peer, dtls::MutableBytes datagram) {
  report(peer.media.handle_datagram(datagram, kPath, kNow));
  while (peer.media.poll_data()) continue;
  while (const auto packet = peer.media.poll_media()) {
    if (packet->kind == transport::MediaKind::rtp) ++peer.rtp_received;
  }
  while (peer.media.poll_event()) continue;
}

static void transmit(Peer& from, Peer& to) {
  std::array<std::byte, dtls::kMaxDatagram> datagram{};
  while (const auto next = from.media.poll_transmit(datagram)) {
    receive(to, std::span(datagram).first(next->size));
  }
}

static void send_rtp(Peer& from, Peer& to, std::uint8_t sequence_number) {
  std::array<std::byte, kRtpSize + srtp::kMaxTrailer> packet{};
  packet[0] = std::byte{0x80};
  packet[1] = std::byte{111};
  packet[3] = std::byte{sequence_number};
  packet[11] = std::byte{1};
  const auto size = from.media.protect_rtp(packet, kRtpSize);
  if (size) receive(to, std::span(packet).first(*size));
}

int main() {
  Peer a;
  Peer b;
  report(a.media.start(dtls::Role::server, kNow));
  report(b.media.start(dtls::Role::client, kNow));
  report(a.media.set_peer_fingerprints({{b.fingerprint()}}, kNow));
  report(b.media.set_peer_fingerprints({{a.fingerprint()}}, kNow));
  report(a.media.path_selected(kPath, std::nullopt, kNow));
  report(b.media.path_selected(kPath, std::nullopt, kNow));
  for (int flight = 0; flight < 4; ++flight) {
    transmit(b, a);
    transmit(a, b);
  }

  for (std::uint8_t i = 0; i < 100; ++i) {
    if (i == 50) {
      const auto saved = save_call(a.media);
      auto restored = continue_call(saved, a.config, a.environment, kNow);
      if (!restored) {
        std::cerr << to_string(restored.error()) << '\n';
        return 1;
      }
      a.media = std::move(*restored);
    }
    send_rtp(a, b, i);
    send_rtp(b, a, i);
  }
  std::cout << a.rtp_received << " and " << b.rtp_received << " RTP packets received\n";
  return a.rtp_received == 100 && b.rtp_received == 100 ? 0 : 1;
}
