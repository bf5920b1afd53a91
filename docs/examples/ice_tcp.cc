// A server on a UDP port and the TCP port of the same number, for peers whose network passes no
// UDP. The peer in this program comes over TCP.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include <sluice/dtls/identity.h>
#include <sluice/ice_lite/description.h>
#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/stun/integrity.h>
#include <sluice/stun/writer.h>
#include <sluice/tcp/driver.h>
#include <sluice/tcp/framing.h>
#include <sluice/udp/address.h>

namespace dtls = sluice::dtls;
namespace ice_lite = sluice::ice_lite;
namespace srtp = sluice::srtp;
namespace stun = sluice::stun;
namespace tcp = sluice::tcp;
namespace udp = sluice::udp;

class EchoServer {
 public:
  using Driver = tcp::Driver<ice_lite::IceLiteServer>;

  // Both sockets are bound to `own`.
  EchoServer(dtls::Environment& environment, udp::Socket socket, tcp::Listener listener,
             const dtls::UdpEndpoint& own)
      : announced_{{{.address = own},
                    {.address = own, .transport = ice_lite::CandidateTransport::tcp_passive}}},
        driver_(Driver::make(ice_lite::IceLiteServer::make({}, environment).value(),
                             std::move(socket), std::move(listener))
                    .value()) {}

  [[nodiscard]] std::string candidates(ice_lite::SessionHandle session) {
    return ice_lite::media_lines(*server().local_credentials(session), announced_);
  }
  // Waits for both sockets; in the loop of another library, wait for descriptor().
  void turn() {
    driver_.wait(udp::now() + std::chrono::milliseconds{100});
    driver_.turn([this] { drain(); });
  }
  ice_lite::IceLiteServer& server() { return driver_.server(); }
  [[nodiscard]] const tcp::Listener& listener() const { return driver_.listener(); }

 private:
  // As with UDP alone: commit() sends over what the path belongs to.
  void drain() {
    while (const auto media = server().poll_media()) {
      const auto room = driver_.room(media->packet.size() + srtp::kMaxTrailer);
      std::ranges::copy(media->packet, room.begin());
      const auto sent = server().protect_rtp(media->session, room, media->packet.size());
      if (sent) driver_.commit(sent->size, sent->path);
    }
    while (const auto data = server().poll_data()) continue;
    while (const auto event = server().poll_event()) {
      if (const auto* selected = std::get_if<ice_lite::PathSelected>(&event->what)) {
        std::cout << (tcp::is_connection(selected->path) ? "TCP" : "UDP") << " from "
                  << udp::to_string(selected->path.peer) << '\n';
      } else if (std::holds_alternative<ice_lite::Expired>(event->what)) {
        server().remove(event->session);
      }
    }
  }

  std::array<ice_lite::AnnouncedAddress, 2> announced_;
  Driver driver_;
};

// A check that nominates, in a frame (RFC 4571).
static dtls::Buffer framed_check(dtls::Environment& environment,
                                 const ice_lite::Credentials& servers) {
  dtls::Buffer frame(200);
  const auto key = stun::IntegrityKey::make(environment, servers.pwd).value();
  const auto room = std::span(frame).subspan(tcp::kLengthSize);
  stun::Writer writer(room, stun::MessageClass::request, stun::Method::binding, {});
  writer.username(servers.ufrag + ":peer");
  writer.priority(1);
  writer.ice_controlling(1);
  writer.use_candidate();
  const auto size = writer.finish(environment, key).value();
  std::ranges::copy(tcp::frame_header(static_cast<std::uint16_t>(size)), frame.begin());
  frame.resize(tcp::kLengthSize + size);
  return frame;
}

struct Ports {
  udp::Socket udp;
  tcp::Listener tcp;
};

// Any that is free for both. The kernel chooses that of UDP, which others may have for TCP.
tl::expected<Ports, std::string> open_ports(dtls::Environment& environment) {
  constexpr int kTries = 16;
  const auto any = dtls::to_socket_address({dtls::Ipv4Address{127, 0, 0, 1}, 0});
  for (int tries = 1;; ++tries) {
    auto socket = udp::Socket::bind(any);
    if (!socket) return tl::unexpected(socket.error());
    auto listener = tcp::Listener::open(dtls::to_socket_address(socket->own()), environment);
    if (listener) return Ports{*std::move(socket), *std::move(listener)};
    if (tries == kTries) return tl::unexpected(listener.error());
  }
}

int main() {
  auto environment = dtls::Environment::make().value();
  auto ports = open_ports(environment);
  if (!ports) {
    std::cerr << ports.error() << '\n';
    return 1;
  }
  const dtls::UdpEndpoint own = ports->udp.own();
  EchoServer server(environment, std::move(ports->udp), std::move(ports->tcp), own);
  const auto identity = dtls::Identity::self_signed(environment).value();
  ice_lite::SessionOptions options;
  options.transport.dtls = dtls::Config::make({.identities = {identity}}).value();
  const auto session = server.server().add_session(options, udp::now()).value();
  std::cout << server.candidates(session);

  const udp::Descriptor peer(::socket(AF_INET, SOCK_STREAM, 0));
  const auto to = dtls::to_socket_address(own);
  if (connect(peer.number(), to.get(), to.size) != 0) return 1;
  const auto check = framed_check(environment, *server.server().local_credentials(session));
  if (send(peer.number(), check.data(), check.size(), 0) < 0) return 1;
  const auto until = udp::now() + std::chrono::seconds{30};
  while (!server.server().path_of(session) && udp::now() < until) server.turn();
  const auto& counts = server.listener().statistics();
  std::cout << counts.received << " datagram received, " << counts.sent << " sent over TCP\n";
  return server.server().path_of(session) ? 0 : 1;
}
