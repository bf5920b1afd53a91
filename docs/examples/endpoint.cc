// Many connections on one socket, incoming and outgoing: an Endpoint finds them by address, keeps
// their timers and admits clients that have returned a cookie.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <iostream>
#include <thread>

#include <sluice/dtls/endpoint.h>
#include <sluice/dtls/identity.h>

namespace dtls = sluice::dtls;

namespace {

dtls::Instant now() {
  return dtls::Instant(std::chrono::duration_cast<dtls::Duration>(
      std::chrono::steady_clock::now().time_since_epoch()));
}

dtls::UdpPath to_path(const sockaddr_in& peer) {
  dtls::Ipv4Address address;
  std::ranges::copy(std::as_bytes(std::span(&peer.sin_addr, 1)),
                    std::as_writable_bytes(std::span(address)).begin());
  return {.peer = {address, ntohs(peer.sin_port)}};
}

sockaddr_in to_sockaddr(const dtls::UdpPath& path) {
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(path.peer.port);
  std::ranges::copy(std::as_bytes(std::span(std::get<dtls::Ipv4Address>(path.peer.address))),
                    std::as_writable_bytes(std::span(&peer.sin_addr, 1)).begin());
  return peer;
}

void send(int socket, dtls::Bytes datagram, const dtls::UdpPath& path) {
  const sockaddr_in to = to_sockaddr(path);
  sendto(socket, datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&to),
         sizeof to);
}

// What the program does with its connections.
struct Handler {
  std::function<void(dtls::ConnectionHandle, dtls::Bytes)> on_data;
  std::function<void(const dtls::EndpointEvent&)> on_event;
};

// One turn of the loop, for all connections of a socket.
void turn(dtls::Endpoint& endpoint, int socket, const Handler& handler) {
  int wait = -1;
  if (const auto timeout = endpoint.next_timeout()) {
    const auto time = std::chrono::ceil<std::chrono::milliseconds>(*timeout - now());
    wait = std::max(0, static_cast<int>(time.count()));
  }
  pollfd readable{.fd = socket, .events = POLLIN, .revents = 0};
  poll(&readable, 1, wait);

  const auto drain = [&] {
    std::byte out[dtls::kMaxDatagram];
    while (const auto data = endpoint.poll_data()) handler.on_data(data->connection, data->bytes);
    while (const auto event = endpoint.poll_event()) handler.on_event(*event);
    while (const auto next = endpoint.poll_transmit(out)) {
      send(socket, {out, next->size}, next->path);
    }
  };
  endpoint.handle_timeout(now());
  drain();
  std::byte buffer[dtls::kMaxDatagram];
  sockaddr_in from{};
  socklen_t from_size = sizeof from;
  const auto size = recvfrom(socket, buffer, sizeof buffer, MSG_DONTWAIT,
                             reinterpret_cast<sockaddr*>(&from), &from_size);
  if (size > 0) {
    const auto datagram = std::span(buffer).first(static_cast<std::size_t>(size));
    endpoint.handle_datagram(datagram, to_path(from), now());
    drain();
  }
}

// Echoes data until `clients` clients have been served.
void serve(int socket, const dtls::ConfigPtr& config, std::size_t clients) {
  auto environment = dtls::Environment::make().value();
  auto endpoint = dtls::Endpoint::make({.server = config}, environment).value();
  std::size_t served = 0;
  const Handler echo{.on_data =
                         [&](dtls::ConnectionHandle from, dtls::Bytes data) {
                           std::byte out[dtls::kMaxDatagram];
                           const auto sealed = endpoint.seal(from, data, out);
                           if (sealed) send(socket, {out, *sealed}, *endpoint.path_of(from));
                         },
                     .on_event =
                         [&](const dtls::EndpointEvent& event) {
                           if (const auto* ended = std::get_if<dtls::Ended>(&event.what)) {
                             std::cout << "server: " << to_string(ended->reason) << '\n';
                             ++served;
                           }
                         }};
  while (served < clients) turn(endpoint, socket, echo);
}

// Several connections to different servers would share the socket in the same way.
bool ask(int socket, const dtls::UdpPath& server, const dtls::ConfigPtr& config,
         const dtls::Fingerprint& servers) {
  auto environment = dtls::Environment::make().value();
  auto endpoint = dtls::Endpoint::make({}, environment).value();
  const auto connection = endpoint.connect(config, server, now()).value();
  const auto announce = [&](dtls::Connection& to) {
    return to.set_peer_fingerprints({&servers, 1}, now());
  };
  endpoint.apply(connection, announce).value();
  const auto question = std::as_bytes(std::span("is there an echo?"));
  bool answered = false;
  bool ended = false;
  const Handler handler{.on_data =
                            [&](dtls::ConnectionHandle from, dtls::Bytes data) {
                              answered = std::ranges::equal(data, question);
                              endpoint.close(from, now()).value();
                            },
                        .on_event =
                            [&](const dtls::EndpointEvent& event) {
                              std::byte out[dtls::kMaxDatagram];
                              if (std::holds_alternative<dtls::Connected>(event.what)) {
                                const auto sealed = endpoint.seal(event.connection, question, out);
                                send(socket, {out, sealed.value()}, server);
                              }
                              if (std::holds_alternative<dtls::Ended>(event.what)) ended = true;
                            }};
  while (!ended) turn(endpoint, socket, handler);
  return answered;
}

// A UDP socket on loopback.
int make_socket(sockaddr_in& own) {
  own = {};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof own;
  auto* address = reinterpret_cast<sockaddr*>(&own);
  const int made = socket(AF_INET, SOCK_DGRAM, 0);
  if (made < 0 || bind(made, address, size) != 0) std::abort();
  getsockname(made, address, &size);
  return made;
}

}  // namespace

int main() {
  auto environment = dtls::Environment::make().value();
  const auto identity = dtls::Identity::self_signed(environment).value();
  const auto fingerprint =
      dtls::Fingerprint::of(identity.certificate(), dtls::HashAlgorithm::sha256, environment)
          .value();
  // The clients have no certificate.
  const auto config = dtls::Config::make({.identities = {identity},
                                          .peer_authentication = dtls::PeerAuthentication::none})
                          .value();
  sockaddr_in address{};
  sockaddr_in unused{};
  const int listening = make_socket(address);
  constexpr std::size_t kClients = 3;
  const std::jthread server([&] { serve(listening, config, kClients); });
  std::size_t answered = 0;
  for (std::size_t i = 0; i < kClients; ++i) {
    if (ask(make_socket(unused), to_path(address), config, fingerprint)) ++answered;
  }
  std::cout << answered << " echoes\n";
  return answered == kClients ? 0 : 1;
}
