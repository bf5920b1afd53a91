// The DTLS engine over a UDP socket: a server on one thread echoes what a client on another sends.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <iostream>
#include <thread>
#include <variant>

#include <sluice/dtls/connection.h>
#include <sluice/dtls/identity.h>

namespace dtls = sluice::dtls;

namespace {

// One Environment per thread; one Identity and one Config per program.
struct Endpoint {
  dtls::Environment environment = dtls::Environment::make().value();
  dtls::Identity identity = dtls::Identity::self_signed(environment).value();
  dtls::ConfigPtr config = dtls::Config::make({.identities = {identity}}).value();

  // For a=fingerprint in the SDP.
  dtls::Fingerprint fingerprint() {
    const auto certificate = identity.certificate();
    return dtls::Fingerprint::of(certificate, dtls::HashAlgorithm::sha256, environment).value();
  }
};

// A steady clock in microseconds; its start is of no importance.
dtls::Instant now() {
  return dtls::Instant(std::chrono::duration_cast<dtls::Duration>(
      std::chrono::steady_clock::now().time_since_epoch()));
}

// The timeout for poll(), in milliseconds; -1: none.
int time_to_wait(const dtls::Connection& connection) {
  const auto timeout = connection.next_timeout();
  if (!timeout) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*timeout - now());
  return std::max(0, static_cast<int>(wait.count()));
}

void transmit(dtls::Connection& connection, int socket) {
  std::byte datagram[dtls::kMaxDatagram];
  while (const auto next = connection.poll_transmit(datagram)) {
    send(socket, datagram, next->size, 0);
  }
}

// One turn of the loop, for one association on a connected UDP socket. Returns false when the
// association has ended.
bool turn(dtls::Connection& connection, int socket,
          const std::function<void(dtls::Bytes)>& on_data) {
  pollfd readable{.fd = socket, .events = POLLIN, .revents = 0};
  poll(&readable, 1, time_to_wait(connection));

  // Inputs. An invalid datagram is only counted. Here, Errors are told by ended() and error().
  static_cast<void>(connection.handle_timeout(now()));
  std::byte buffer[dtls::kMaxDatagram];
  if (const auto size = recv(socket, buffer, sizeof buffer, MSG_DONTWAIT); size > 0) {
    const auto datagram = std::span(buffer).first(static_cast<std::size_t>(size));
    static_cast<void>(connection.handle_datagram(datagram, connection.path(), now()));
  }

  // Outputs, also after an Error: its alert is still to be sent.
  transmit(connection, socket);
  while (const auto data = connection.poll_data()) on_data(*data);
  while (connection.poll_event()) continue;  // Connected, Closed
  if (const auto error = connection.error()) std::cerr << to_string(*error) << '\n';
  return !connection.ended();
}

// There is no queue: seal() writes the record into your buffer.
void send_data(dtls::Connection& connection, int socket, dtls::Bytes data) {
  std::byte record[dtls::kMaxDatagram];
  if (const auto size = connection.seal(data, record)) send(socket, record, *size, 0);
}

// What the two sides exchange beforehand, by SDP or otherwise.
using Announcement = std::promise<dtls::Fingerprint>;

void serve(int socket, Announcement& own, Announcement& peers) {
  Endpoint endpoint;
  own.set_value(endpoint.fingerprint());
  auto connection =
      dtls::Connection::server(endpoint.config, endpoint.environment, dtls::PathId{0}, now())
          .value();
  static_cast<void>(connection.set_peer_fingerprints({{peers.get_future().get()}}, now()));
  const auto echo = [&](dtls::Bytes data) { send_data(connection, socket, data); };
  while (turn(connection, socket, echo)) {
  }
}

bool ask(int socket, Announcement& own, Announcement& peers) {
  Endpoint endpoint;
  own.set_value(endpoint.fingerprint());
  auto connection =
      dtls::Connection::client(endpoint.config, endpoint.environment, dtls::PathId{0}, now())
          .value();
  static_cast<void>(connection.set_peer_fingerprints({{peers.get_future().get()}}, now()));
  transmit(connection, socket);
  const auto question = std::as_bytes(std::span("is there an echo?"));
  bool asked = false;
  bool answered = false;
  const auto compare = [&](dtls::Bytes data) { answered = std::ranges::equal(data, question); };
  while (!answered && turn(connection, socket, compare)) {
    if (connection.connected() && !std::exchange(asked, true)) {
      send_data(connection, socket, question);
    }
  }
  static_cast<void>(connection.close(now()));
  transmit(connection, socket);
  return answered;
}

// Two UDP sockets on loopback, each connected to the other.
std::array<int, 2> connected_sockets() {
  std::array<int, 2> sockets{};
  std::array<sockaddr_in, 2> addresses{};
  for (std::size_t i = 0; i < 2; ++i) {
    addresses[i].sin_family = AF_INET;
    addresses[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(sockaddr_in);
    auto* address = reinterpret_cast<sockaddr*>(&addresses[i]);
    sockets[i] = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(sockets[i], address, size) != 0) std::abort();
    getsockname(sockets[i], address, &size);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const auto* address = reinterpret_cast<const sockaddr*>(&addresses[1 - i]);
    if (connect(sockets[i], address, sizeof(sockaddr_in)) != 0) std::abort();
  }
  return sockets;
}

}  // namespace

int main() {
  const auto sockets = connected_sockets();
  Announcement of_client;
  Announcement of_server;
  const std::jthread server([&] { serve(sockets[0], of_server, of_client); });
  const bool answered = ask(sockets[1], of_client, of_server);
  std::cout << (answered ? "there is an echo\n" : "no echo\n");
  return answered ? 0 : 1;
}
