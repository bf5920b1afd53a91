// A media server on one UDP port: all of its sessions behind one socket, by an ICE-lite agent. Each
// packet goes back to its peer, which stands for a browser here.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/dtls/identity.h>
#include <sluice/dtls/socket_address.h>
#include <sluice/ice_lite/description.h>
#include <sluice/ice_lite/ice_lite_server.h>

#include "loopback_peer.h"

namespace dtls = sluice::dtls;
namespace ice_lite = sluice::ice_lite;
namespace srtp = sluice::srtp;
namespace transport = sluice::transport;

static dtls::Instant now() {
  return dtls::Instant(std::chrono::duration_cast<dtls::Duration>(
      std::chrono::steady_clock::now().time_since_epoch()));
}

using example::send_to;

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

int main() {
  const int server_socket = example::loopback_socket();
  const int peer_socket = example::loopback_socket();
  dtls::SocketAddress own;
  if (peer_socket < 0 || getsockname(server_socket, own.get(), &own.size) != 0) return 1;
  const dtls::UdpEndpoint address = to_udp_endpoint(own).value();

  MediaServer server(server_socket, address);
  example::LoopbackPeer peer(peer_socket, now);
  const auto answer = server.answer("peer", {peer.fingerprint()});
  if (!answer || !peer.begin(*answer, address)) return 1;
  std::array<std::byte, 12 + 100> packet{std::byte{0x80}, std::byte{111}};
  bool has_sent = false;
  bool has_come_back = false;
  const auto until = now() + std::chrono::seconds{30};
  while (!has_come_back && now() < until) {
    pollfd any[] = {{.fd = server_socket, .events = POLLIN, .revents = 0},
                    {.fd = peer_socket, .events = POLLIN, .revents = 0}};
    poll(any, 2, 50);
    if (any[0].revents != 0) server.turn();
    has_come_back = peer.turn();
    if (peer.connected() && !std::exchange(has_sent, true)) peer.send_rtp(packet);
  }
  std::cout << (has_come_back ? "the packet has come back\n" : "nothing has come back\n");
  close(server_socket);
  close(peer_socket);
  return has_come_back && server.sessions() == 1 ? 0 : 1;
}
