// MediaTransport under your own ICE agent: two sessions with a simulated network between them.
#include <algorithm>
#include <deque>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
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
    // Called once, as the last thing that an input does: it may destroy the Session.
    std::function<void(std::string)> on_end;
  };

  Session(transport::MediaTransport transport, Listener listener)
      : transport_(std::move(transport)), listener_(std::move(listener)) {}

  // From the peer's SDP: a=setup and a=fingerprint. The active side is the DTLS client.
  void on_description(dtls::Role own_role, const std::vector<dtls::Fingerprint>& announced,
                      dtls::Instant now) {
    if (!finish(transport_.start(own_role, now))) return;
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
  // After every input: take all outputs. False after on_end(): the Session may be gone.
  bool finish(const dtls::Result<transport::TransportPending>& input) {
    std::string end;
    std::byte datagram[dtls::kMaxDatagram];
    while (const auto next = transport_.poll_transmit(datagram)) {
      listener_.send(next->path, std::span(datagram).first(next->size));
    }
    while (const auto data = transport_.poll_data()) listener_.on_data(*data);
    while (const auto media = transport_.poll_media()) {
      const bool is_rtp = media->kind == transport::MediaKind::rtp;
      (is_rtp ? listener_.on_rtp : listener_.on_rtcp)(media->packet);
    }
    while (const auto event = transport_.poll_event()) {
      if (std::holds_alternative<transport::TransportClosed>(*event)) end = "the peer has closed";
    }
    // Told once. Other Errors have changed nothing.
    if (!input && input.error().is_fatal) end = to_string(input.error());
    if (end.empty() || !listener_.on_end) return true;
    const auto on_end = std::exchange(listener_.on_end, nullptr);
    on_end(end);
    return false;
  }

  transport::MediaTransport transport_;
  Listener listener_;
};

namespace {

constexpr dtls::PathId kPair{7};
constexpr dtls::Duration kRtt = std::chrono::milliseconds{20};

// The owner of a session, which lets go of it when it ends.
struct Side {
  Side()
      : environment(dtls::Environment::make().value()),
        identity(dtls::Identity::self_signed(environment).value()) {
    auto config = dtls::Config::make({.identities = {identity}}).value();
    session.emplace(
        transport::MediaTransport::make({.dtls = std::move(config)}, environment).value(),
        Session::Listener{
            .send = [this](dtls::PathId,
                           dtls::Bytes bytes) { sent.emplace_back(bytes.begin(), bytes.end()); },
            .on_rtp = [this](dtls::Bytes bytes) { rtp.emplace_back(bytes.begin(), bytes.end()); },
            .on_rtcp = [](dtls::Bytes) {},
            .on_data = [](dtls::Bytes) {},
            .on_end =
                [this](const std::string& why) {
                  std::cout << why << '\n';
                  ++ends;
                  session.reset();
                }});
  }

  [[nodiscard]] std::vector<dtls::Fingerprint> fingerprints() {
    return {dtls::Fingerprint::of(identity.certificate(), dtls::HashAlgorithm::sha256, environment)
                .value()};
  }

  dtls::Environment environment;
  dtls::Identity identity;
  std::deque<dtls::Buffer> sent;
  std::vector<dtls::Buffer> rtp;
  int ends = 0;
  std::optional<Session> session;
};

// Delivers the datagrams sent so far; called half a round trip later.
void deliver(Side& from, Side& to, dtls::Instant now) {
  while (!from.sent.empty()) {
    auto datagram = std::move(from.sent.front());
    from.sent.pop_front();
    if (to.session) to.session->on_datagram(datagram, kPair, now);
  }
}

// An RTP packet of version 2 (RFC 3550 section 5.1).
dtls::Buffer make_packet() {
  dtls::Buffer packet(12 + 160, std::byte{0x5a});
  packet[0] = std::byte{0x80};
  packet[1] = std::byte{111};
  return packet;
}

// `b` calls `a`, who has these fingerprints for it, and sends a packet until one arrives.
void call(Side& a, Side& b, const std::vector<dtls::Fingerprint>& announced_by_b) {
  dtls::Instant now{};
  a.session->on_description(dtls::Role::server, announced_by_b, now);
  b.session->on_description(dtls::Role::client, a.fingerprints(), now);
  for (auto* side : {&a, &b}) {
    side->session->on_pair_checked(kPair, now);
    side->session->on_pair_selected(kPair, kRtt, now);
  }
  const auto packet = make_packet();
  for (int turn = 0; turn < 10 && a.rtp.empty(); ++turn) {
    now += kRtt / 2;
    deliver(b, a, now);
    deliver(a, b, now);
    for (auto* side : {&a, &b}) {
      if (!side->session) continue;
      if (const auto timeout = side->session->next_timeout(); timeout && *timeout <= now) {
        side->session->on_timeout(now);
      }
    }
    if (b.session) b.session->send_rtp(packet);
  }
}

}  // namespace

int main() {
  Side a;
  Side b;
  call(a, b, b.fingerprints());
  const bool arrived = !a.rtp.empty() && a.rtp.front() == make_packet();
  std::cout << (arrived ? "the packet has arrived\n" : "nothing has arrived\n");

  // The fingerprint of another certificate: each end learns of the failure once.
  Side c;
  Side d;
  call(c, d, a.fingerprints());
  const bool ended = c.ends == 1 && d.ends == 1 && c.rtp.empty();
  return arrived && a.ends == 0 && b.ends == 0 && ended ? 0 : 1;
}
