// A media server on one UDP port: all of its sessions behind one socket, by an ICE-lite agent. Each
// packet goes back to its peer. The peer in this program stands for a browser.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <sluice/dtls/identity.h>
#include <sluice/dtls/socket_address.h>
#include <sluice/ice_lite/description.h>
#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/stun/integrity.h>
#include <sluice/stun/writer.h>

namespace dtls = sluice::dtls;
namespace ice_lite = sluice::ice_lite;
namespace srtp = sluice::srtp;
namespace stun = sluice::stun;
namespace transport = sluice::transport;

static dtls::Instant now() {
  return dtls::Instant(std::chrono::duration_cast<dtls::Duration>(
      std::chrono::steady_clock::now().time_since_epoch()));
}

static void send_to(int socket, dtls::Bytes datagram, const dtls::UdpEndpoint& peer) {
  const dtls::SocketAddress to = dtls::to_socket_address(peer);
  // A full socket buffer loses the datagram, as the network may.
  sendto(socket, datagram.data(), datagram.size(), MSG_DONTWAIT, to.get(), to.size);
}

class MediaServer {
 public:
  // `socket` is bound to `announced`, or to the address that a NAT maps that to.
  MediaServer(int socket, const dtls::UdpEndpoint& announced)
      : socket_(socket), announced_{{{announced}}} {}

  // A peer's offer has come: the answer's lines about the transport.
  std::optional<std::string> answer(const std::string& peers_ufrag,
                                    const std::vector<dtls::Fingerprint>& peers_fingerprints) {
    ice_lite::SessionOptions options;
    options.transport.dtls = config_;
    options.remote_ufrag = peers_ufrag;
    options.peer_fingerprints = peers_fingerprints;
    const auto session = server_.add_session(options, now());
    if (!session) return std::nullopt;
    return std::string(ice_lite::kSessionLines) +  // before the first m= line
           ice_lite::media_lines(*server_.local_credentials(*session), announced_) +
           "a=setup:passive\r\na=fingerprint:" + fingerprint_.to_sdp() + "\r\n";
  }

  // One turn of the loop, for all sessions.
  void turn() {
    int wait = 1000;
    if (const auto timeout = server_.next_timeout()) {
      const auto time = std::chrono::ceil<std::chrono::milliseconds>(*timeout - now());
      wait = static_cast<int>(std::clamp<std::int64_t>(time.count(), 0, wait));
    }
    pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
    poll(&readable, 1, wait);
    server_.handle_timeout(now());
    drain();
    dtls::SocketAddress from;
    const auto size =
        recvfrom(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT, from.get(), &from.size);
    const auto peer = to_udp_endpoint(from);
    if (size < 0 || !peer) return;
    const auto datagram = std::span(buffer_).first(static_cast<std::size_t>(size));
    server_.handle_datagram(datagram, {.peer = *peer}, now());
    drain();
  }

  [[nodiscard]] std::size_t sessions() const { return server_.size(); }

 private:
  void drain() {
    while (const auto sent = server_.poll_transmit(out_)) {
      send_to(socket_, std::span(out_).first(sent->size), sent->path.peer);
    }
    while (const auto data = server_.poll_data()) continue;  // SCTP packets of data channels
    while (const auto media = server_.poll_media()) {
      if (media->packet.size() + srtp::kMaxTrailer > out_.size()) continue;
      // Back to its peer; a forwarding server would name the sessions of the other peers.
      std::ranges::copy(media->packet, out_.begin());
      const auto sent = media->kind == transport::MediaKind::rtp
                            ? server_.protect_rtp(media->session, out_, media->packet.size())
                            : server_.protect_rtcp(media->session, out_, media->packet.size());
      if (sent) send_to(socket_, std::span(out_).first(sent->size), sent->path.peer);
    }
    while (const auto event = server_.poll_event()) {
      if (std::holds_alternative<ice_lite::Connected>(event->what)) {
        std::cout << "a peer is connected\n";
      } else if (std::holds_alternative<ice_lite::Expired>(event->what)) {
        server_.remove(event->session);  // or server_.restart_ice(), by signalling
      } else if (const auto* ended = std::get_if<ice_lite::Ended>(&event->what)) {
        std::cout << "a session has ended: " << to_string(ended->reason) << '\n';
      }
    }
  }

  int socket_;
  std::array<ice_lite::AnnouncedAddress, 1> announced_;
  dtls::Environment environment_ = dtls::Environment::make().value();
  dtls::Identity identity_ = dtls::Identity::self_signed(environment_).value();
  dtls::ConfigPtr config_ = dtls::Config::make({.identities = {identity_}}).value();
  dtls::Fingerprint fingerprint_ =
      dtls::Fingerprint::of(identity_.certificate(), dtls::HashAlgorithm::sha256, environment_)
          .value();
  ice_lite::IceLiteServer server_ = ice_lite::IceLiteServer::make({}, environment_).value();
  std::array<std::byte, dtls::kMaxDatagram> buffer_{};
  std::array<std::byte, dtls::kMaxDatagram> out_{};
};

// ---- the peer: a check that nominates, then DTLS as client and an RTP packet

class Peer {
 public:
  explicit Peer(int socket) : socket_(socket) {}

  [[nodiscard]] dtls::Fingerprint fingerprint() {
    return dtls::Fingerprint::of(identity_.certificate(), dtls::HashAlgorithm::sha256, environment_)
        .value();
  }

  bool begin(const std::string& answer, const dtls::UdpEndpoint& server) {
    const auto value = [&](const std::string& name) {
      const auto at = answer.find(name) + name.size();
      return answer.substr(at, answer.find("\r\n", at) - at);
    };
    server_ = server;
    const auto key = stun::IntegrityKey::make(environment_, value("a=ice-pwd:"));
    const auto theirs = dtls::Fingerprint::parse(value("a=fingerprint:"));
    if (!key || !theirs) return false;
    const bool is_ready = transport_.start(dtls::Role::client, now()) &&
                          transport_.set_peer_fingerprints({{*theirs}}, now());
    std::array<std::byte, 200> check{};
    stun::Writer writer(check, stun::MessageClass::request, stun::Method::binding, {});
    writer.username(value("a=ice-ufrag:") + ":peer");
    writer.priority(1);
    writer.ice_controlling(1);
    writer.use_candidate();
    const auto size = writer.finish(environment_, *key);
    if (!size) return false;
    send_to(socket_, std::span(check).first(*size), server_);
    return is_ready;
  }

  // True when its packet has come back.
  bool turn() {
    std::array<std::byte, dtls::kMaxDatagram> buffer{};
    const auto size = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size > 0) {
      const auto datagram = std::span(buffer).first(static_cast<std::size_t>(size));
      const bool is_response = transport::classify(datagram) == transport::PacketClass::stun;
      const auto done = is_response ? transport_.path_selected(dtls::PathId{}, std::nullopt, now())
                                    : transport_.handle_datagram(datagram, dtls::PathId{}, now());
      if (!done) std::cerr << to_string(done.error()) << '\n';
    } else if (transport_.next_timeout() && *transport_.next_timeout() <= now()) {
      if (const auto done = transport_.handle_timeout(now()); !done) return false;
    }
    std::array<std::byte, dtls::kMaxDatagram> out{};
    while (const auto next = transport_.poll_transmit(out)) {
      send_to(socket_, std::span(out).first(next->size), server_);
    }
    while (transport_.poll_event()) send_packet();
    return transport_.poll_media().has_value();
  }

 private:
  void send_packet() {
    std::array<std::byte, 12 + 100 + srtp::kMaxTrailer> packet{std::byte{0x80}, std::byte{111}};
    const auto size = transport_.protect_rtp(packet, 12 + 100);
    if (size) send_to(socket_, std::span(packet).first(*size), server_);
  }

  int socket_;
  dtls::UdpEndpoint server_;
  dtls::Environment environment_ = dtls::Environment::make().value();
  dtls::Identity identity_ = dtls::Identity::self_signed(environment_).value();
  transport::MediaTransport transport_ =
      transport::MediaTransport::make(
          {.dtls = dtls::Config::make({.identities = {identity_}}).value()}, environment_)
          .value();
};

static int bound_socket() {
  const int made = socket(AF_INET, SOCK_DGRAM, 0);
  const auto any = dtls::to_socket_address({dtls::Ipv4Address{127, 0, 0, 1}, 0});
  return bind(made, any.get(), any.size) == 0 ? made : -1;
}

int main() {
  const int server_socket = bound_socket();
  const int peer_socket = bound_socket();
  dtls::SocketAddress own;
  if (peer_socket < 0 || getsockname(server_socket, own.get(), &own.size) != 0) return 1;
  const dtls::UdpEndpoint address = to_udp_endpoint(own).value();

  MediaServer server(server_socket, address);
  Peer peer(peer_socket);
  const auto answer = server.answer("peer", {peer.fingerprint()});
  if (!answer || !peer.begin(*answer, address)) return 1;
  bool has_come_back = false;
  const auto until = now() + std::chrono::seconds{30};
  while (!has_come_back && now() < until) {
    pollfd any[] = {{.fd = server_socket, .events = POLLIN, .revents = 0},
                    {.fd = peer_socket, .events = POLLIN, .revents = 0}};
    poll(any, 2, 50);
    if (any[0].revents != 0) server.turn();
    has_come_back = peer.turn();
  }
  std::cout << (has_come_back ? "the packet has come back\n" : "nothing has come back\n");
  close(server_socket);
  close(peer_socket);
  return has_come_back && server.sessions() == 1 ? 0 : 1;
}
