// Two MediaTransports in one process: a DTLS-SRTP handshake, then 100 RTP packets each way.
#include <sluice/dtls/identity.h>
#include <sluice/transport/media_transport.h>

#include <array>
#include <cstdint>
#include <iostream>

namespace dtls = sluice::dtls;
namespace srtp = sluice::srtp;
namespace transport = sluice::transport;

static constexpr dtls::PathId kPath{1};  // your number for the candidate pair that ICE selected
static constexpr dtls::Instant kNow{};   // your clock; time stands still in this program
static constexpr std::size_t kRtpSize = 12 + 160;  // header (RFC 3550 section 5.1) and payload

struct Peer {
  dtls::Environment environment = dtls::Environment::make().value();           // one per thread
  dtls::Identity identity = dtls::Identity::self_signed(environment).value();  // certificate, key
  dtls::ConfigPtr config = dtls::Config::make({.identities = {identity}}).value();
  transport::MediaTransport media =
      transport::MediaTransport::make({.dtls = config}, environment).value();  // one per session
  int rtp_received = 0;

  // Goes into this peer's SDP as a=fingerprint.
  dtls::Fingerprint fingerprint() {
    return dtls::Fingerprint::of(identity.certificate(), dtls::HashAlgorithm::sha256, environment)
        .value();
  }
};

// A peer may fail at any time: its Error is for the log, and ends this session alone.
static void report(const dtls::Result<transport::TransportPending>& input) {
  if (!input) std::cerr << to_string(input.error()) << '\n';
}

// A datagram has arrived from the network: DTLS, SRTP or SRTCP.
static void receive(Peer& peer, dtls::MutableBytes datagram) {
  report(peer.media.handle_datagram(datagram, kPath, kNow));
  while (peer.media.poll_data()) continue;  // SCTP packets of data channels
  while (const auto packet = peer.media.poll_media()) {
    if (packet->kind == transport::MediaKind::rtp) ++peer.rtp_received;
  }
  while (peer.media.poll_event()) continue;  // TransportConnected, TransportClosed
}

// Sends the handshake's datagrams.
static void transmit(Peer& from, Peer& to) {
  std::array<std::byte, dtls::kMaxDatagram> datagram{};
  while (const auto next = from.media.poll_transmit(datagram)) {
    receive(to, std::span(datagram).first(next->size));
  }
}

static void send_rtp(Peer& from, Peer& to, std::uint8_t sequence_number) {
  std::array<std::byte, kRtpSize + srtp::kMaxTrailer> packet{};  // with room for SRTP's trailer
  packet[0] = std::byte{0x80};                                   // version 2
  packet[1] = std::byte{111};                                    // payload type
  packet[3] = std::byte{sequence_number};
  packet[11] = std::byte{1};  // SSRC
  const auto size = from.media.protect_rtp(packet, kRtpSize);
  if (size) receive(to, std::span(packet).first(*size));
}

int main() {
  Peer a;
  Peer b;

  // From signalling: the DTLS role (a=setup) and the other side's a=fingerprint.
  report(a.media.start(dtls::Role::server, kNow));  // a=setup:passive
  report(b.media.start(dtls::Role::client, kNow));  // a=setup:active
  report(a.media.set_peer_fingerprints({{b.fingerprint()}}, kNow));
  report(b.media.set_peer_fingerprints({{a.fingerprint()}}, kNow));

  // From ICE: this pair has been checked and selected.
  report(a.media.path_selected(kPath, std::nullopt, kNow));
  report(b.media.path_selected(kPath, std::nullopt, kNow));

  for (int flight = 0; flight < 4; ++flight) {
    transmit(b, a);
    transmit(a, b);
  }
  if (!a.media.connected() || !b.media.connected()) return 1;
  std::cout << to_string(a.media.info()->version) << ", "
            << to_string(*a.media.info()->srtp_profile) << '\n';

  for (std::uint8_t i = 0; i < 100; ++i) {
    send_rtp(a, b, i);
    send_rtp(b, a, i);
  }
  std::cout << "a received " << a.rtp_received << ", b received " << b.rtp_received << '\n';
  return a.rtp_received == 100 && b.rtp_received == 100 ? 0 : 1;
}
