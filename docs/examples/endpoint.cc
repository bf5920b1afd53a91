// Many connections on one socket, incoming and outgoing: an Endpoint finds them by address, keeps
// their timers and admits clients that have returned a cookie.
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
#include <sluice/dtls/socket_address.h>

namespace dtls = sluice::dtls;

namespace {

dtls::Instant now() {
  return dtls::Instant(std::chrono::duration_cast<dtls::Duration>(
      std::chrono::steady_clock::now().time_since_epoch()));
}

void send(int socket, dtls::Bytes datagram, const dtls::UdpPath& path) {
  const dtls::SocketAddress to = dtls::to_socket_address(path.peer);
  sendto(socket, datagram.data(), datagram.size(), 0, to.get(), to.size);
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

  // A handler may make inputs, such as answer() or close(), which leave outputs again.
  const auto drain = [&] {
    std::byte out[dtls::kMaxDatagram];
    for (bool again = true; again;) {
      again = false;
      while (const auto next = endpoint.poll_transmit(out)) {
        send(socket, {out, next->size}, next->path);
      }
      while (const auto data = endpoint.poll_data()) {
        handler.on_data(data->connection, data->bytes);
        again = true;
      }
      while (const auto event = endpoint.poll_event()) {
        handler.on_event(*event);
        again = true;
      }
    }
  };
  endpoint.handle_timeout(now());
  drain();
  std::byte buffer[dtls::kMaxDatagram];
  dtls::SocketAddress from;
  const auto size = recvfrom(socket, buffer, sizeof buffer, MSG_DONTWAIT, from.get(), &from.size);
  const auto peer = to_udp_endpoint(from);
  if (size > 0 && peer) {
    const auto datagram = std::span(buffer).first(static_cast<std::size_t>(size));
    endpoint.handle_datagram(datagram, {.peer = *peer}, now());
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
                           const auto sealed = endpoint.seal_datagram(from, data, out);
                           if (sealed) send(socket, {out, sealed->size}, sealed->path);
                         },
                     .on_event =
                         [&](const dtls::EndpointEvent& event) {
                           if (const auto* ended = std::get_if<dtls::Ended>(&event.what)) {
                             std::cout << "server: " << to_string(ended->reason)
                                       << (ended->error ? ": " + to_string(*ended->error) : "")
                                       << '\n';
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
  const auto connection = endpoint.connect(config, server, now());
  if (!connection) return false;
  const auto announce = [&](dtls::Connection& to) {
    return to.set_peer_fingerprints({&servers, 1}, now());
  };
  if (!endpoint.apply(*connection, announce)) return false;
  const auto question = std::as_bytes(std::span("is there an echo?"));
  bool answered = false;
  bool ended = false;
  const Handler handler{.on_data =
                            [&](dtls::ConnectionHandle from, dtls::Bytes data) {
                              answered = std::ranges::equal(data, question);
                              static_cast<void>(endpoint.close(from, now()));
                            },
                        .on_event =
                            [&](const dtls::EndpointEvent& event) {
                              std::byte out[dtls::kMaxDatagram];
                              if (std::holds_alternative<dtls::Connected>(event.what)) {
                                const auto sealed =
                                    endpoint.seal_datagram(event.connection, question, out);
                                if (sealed) send(socket, {out, sealed->size}, sealed->path);
                              }
                              if (std::holds_alternative<dtls::Ended>(event.what)) ended = true;
                            }};
  while (!ended) turn(endpoint, socket, handler);
  return answered;
}

// A UDP socket on loopback.
int make_socket(dtls::UdpPath& own) {
  auto address = dtls::to_socket_address({dtls::Ipv4Address{127, 0, 0, 1}, 0});
  const int made = socket(AF_INET, SOCK_DGRAM, 0);
  if (made < 0 || bind(made, address.get(), address.size) != 0) std::abort();
  getsockname(made, address.get(), &address.size);
  own.peer = *to_udp_endpoint(address);
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
  dtls::UdpPath address;
  dtls::UdpPath unused;
  const int listening = make_socket(address);
  constexpr std::size_t kClients = 3;
  const std::jthread server([&] { serve(listening, config, kClients); });
  std::size_t answered = 0;
  for (std::size_t i = 0; i < kClients; ++i) {
    if (ask(make_socket(unused), address, config, fingerprint)) ++answered;
  }
  std::cout << answered << " echoes\n";
  return answered == kClients ? 0 : 1;
}
