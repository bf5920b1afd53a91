// MediaTransport under your own ICE agent: two sessions with a simulated network between them.
#include <algorithm>
#include <deque>
#include <functional>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include <sluice/dtls/identity.h>
#include <sluice/transport/media_transport.h>

namespace dtls = sluice::dtls;
namespace srtp = sluice::srtp;
namespace transport = sluice::transport;

// One session, with its inputs from signalling, ICE, network and clock. A PathId is your number for
// a candidate pair.
class Session {
 public:
  struct Listener {
    std::function<void(dtls::PathId, dtls::Bytes)> send;  // through the ICE agent's socket
    std::function<void(dtls::Bytes)> on_rtp, on_rtcp, on_data;
    std::function<void(std::string)> on_end;
  };

  Session(transport::MediaTransport transport, Listener listener)
      : transport_(std::move(transport)), listener_(std::move(listener)) {}

  // From the peer's SDP: a=setup and a=fingerprint. The active side is the DTLS client.
  void on_description(dtls::Role own_role, const std::vector<dtls::Fingerprint>& announced,
                      dtls::Instant now) {
    finish(transport_.start(own_role, now));
    finish(transport_.set_peer_fingerprints(announced, now));
  }

  // A STUN check with a valid MESSAGE-INTEGRITY has arrived, or a response to ours.
  void on_pair_checked(dtls::PathId pair, dtls::Instant now) {
    finish(transport_.path_validated(pair, now));
  }
  void on_pair_selected(dtls::PathId pair, dtls::Duration rtt, dtls::Instant now) {
    finish(transport_.path_selected(pair, rtt, now));
  }
  void on_pair_lost(dtls::PathId pair) { transport_.path_removed(pair); }

  // Every datagram that is not STUN. It is decrypted in place.
  void on_datagram(dtls::MutableBytes datagram, dtls::PathId pair, dtls::Instant now) {
    finish(transport_.handle_datagram(datagram, pair, now));
  }
  void on_timeout(dtls::Instant now) { finish(transport_.handle_timeout(now)); }
  [[nodiscard]] auto next_timeout() const { return transport_.next_timeout(); }

  // Before the transport is connected there is no key: the packet is dropped.
  void send_rtp(dtls::Bytes packet) {
    std::byte buffer[1500 + srtp::kMaxTrailer];
    if (packet.size() > 1500) return;
    std::ranges::copy(packet, buffer);
    const auto size = transport_.protect_rtp(buffer, packet.size());
    const auto path = transport_.path();
    if (size && path) listener_.send(*path, std::span(buffer).first(*size));
  }

 private:
  // After every input: take all outputs.
  void finish(const dtls::Result<transport::TransportPending>& input) {
    while (const auto data = transport_.poll_data()) listener_.on_data(*data);
    while (const auto media = transport_.poll_media()) {
      const bool is_rtp = media->kind == transport::MediaKind::rtp;
      (is_rtp ? listener_.on_rtp : listener_.on_rtcp)(media->packet);
    }
    while (const auto event = transport_.poll_event()) {
      if (std::holds_alternative<transport::TransportClosed>(*event))
        listener_.on_end("the peer has closed");
    }
    std::byte datagram[dtls::kMaxDatagram];
    while (const auto next = transport_.poll_transmit(datagram)) {
      listener_.send(next->path, std::span(datagram).first(next->size));
    }
    if (!input) listener_.on_end(to_string(input.error()));
  }

  transport::MediaTransport transport_;
  Listener listener_;
};

namespace {

constexpr dtls::PathId kPair{7};
constexpr dtls::Duration kRtt = std::chrono::milliseconds{20};

struct Side {
  dtls::Environment environment = dtls::Environment::make().value();
  dtls::Identity identity = dtls::Identity::self_signed(environment).value();
  std::deque<dtls::Buffer> sent;
  std::vector<dtls::Buffer> rtp;
  bool ended = false;
  Session session{
      transport::MediaTransport::make(
          {.dtls = dtls::Config::make({.identities = {identity}}).value()}, environment)
          .value(),
      {.send = [this](dtls::PathId,
                      dtls::Bytes bytes) { sent.emplace_back(bytes.begin(), bytes.end()); },
       .on_rtp = [this](dtls::Bytes bytes) { rtp.emplace_back(bytes.begin(), bytes.end()); },
       .on_rtcp = [](dtls::Bytes) {},
       .on_data = [](dtls::Bytes) {},
       .on_end =
           [this](const std::string& why) {
             std::cerr << why << '\n';
             ended = true;
           }}};

  [[nodiscard]] std::vector<dtls::Fingerprint> fingerprints() {
    return {dtls::Fingerprint::of(identity.certificate(), dtls::HashAlgorithm::sha256, environment)
                .value()};
  }
};

// Delivers the datagrams sent so far; called half a round trip later.
void deliver(Side& from, Side& to, dtls::Instant now) {
  while (!from.sent.empty()) {
    auto datagram = std::move(from.sent.front());
    from.sent.pop_front();
    to.session.on_datagram(datagram, kPair, now);
  }
}

// An RTP packet of version 2 (RFC 3550 section 5.1).
dtls::Buffer make_packet() {
  dtls::Buffer packet(12 + 160, std::byte{0x5a});
  packet[0] = std::byte{0x80};
  packet[1] = std::byte{111};
  return packet;
}

}  // namespace

int main() {
  Side a;
  Side b;
  dtls::Instant now{};
  a.session.on_description(dtls::Role::server, b.fingerprints(), now);
  b.session.on_description(dtls::Role::client, a.fingerprints(), now);
  for (auto* side : {&a, &b}) {
    side->session.on_pair_checked(kPair, now);
    side->session.on_pair_selected(kPair, kRtt, now);
  }

  const auto packet = make_packet();
  for (int turn = 0; turn < 10 && a.rtp.empty() && !a.ended && !b.ended; ++turn) {
    now += kRtt / 2;
    deliver(b, a, now);
    deliver(a, b, now);
    for (auto* side : {&a, &b}) {
      if (const auto timeout = side->session.next_timeout(); timeout && *timeout <= now) {
        side->session.on_timeout(now);
      }
    }
    b.session.send_rtp(packet);
  }
  const bool arrived = !a.rtp.empty() && a.rtp.front() == packet;
  std::cout << (arrived ? "the packet has arrived\n" : "nothing has arrived\n");
  return arrived ? 0 : 1;
}
