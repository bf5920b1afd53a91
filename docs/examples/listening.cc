// A server for many clients on one socket: a Listener answers unknown addresses with a cookie and
// keeps nothing; a client that returns the cookie gets a connection.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <map>
#include <thread>
#include <variant>

#include <sluice/dtls/identity.h>
#include <sluice/dtls/listener.h>

namespace dtls = sluice::dtls;

namespace {

dtls::Instant now() {
  return dtls::Instant(std::chrono::duration_cast<dtls::Duration>(
      std::chrono::steady_clock::now().time_since_epoch()));
}

// Address and port as bytes: the key of the connection table, and what a cookie is bound to.
using Address = std::array<std::byte, 6>;

Address to_bytes(const sockaddr_in& from) {
  Address address;
  const auto host = std::as_bytes(std::span(&from.sin_addr.s_addr, 1));
  const auto port = std::as_bytes(std::span(&from.sin_port, 1));
  std::ranges::copy(port, std::ranges::copy(host, address.begin()).out);
  return address;
}

class Server {
 public:
  Server(int socket, const dtls::ConfigPtr& config, dtls::Environment& environment)
      : socket_(socket),
        environment_(environment),
        listener_(dtls::Listener::make(config, environment).value()) {}

  void on_datagram(dtls::MutableBytes datagram, const sockaddr_in& from) {
    const Address address = to_bytes(from);
    if (const auto known = clients_.find(address); known != clients_.end()) {
      auto& connection = known->second.connection;
      settle(known, connection.handle_datagram(datagram, connection.path(), now()));
      return;
    }
    auto outcome = listener_.handle_datagram(datagram, address, now());
    if (const auto* reply = std::get_if<dtls::Listener::Reply>(&outcome)) {
      send(reply->datagram, from);
    } else if (auto* admission = std::get_if<dtls::Admission>(&outcome)) {
      auto accepted =
          dtls::Connection::accept(std::move(*admission), environment_, dtls::PathId{0}, now());
      const auto added = clients_.try_emplace(address, std::move(accepted.connection), from).first;
      settle(added, accepted.outcome);
    }
  }

  // Call it at next_timeout(). A server with many clients keeps their timers in a priority queue.
  void on_timeout() {
    for (auto client = clients_.begin(); client != clients_.end();) {
      const auto next = std::next(client);
      settle(client, client->second.connection.handle_timeout(now()));
      client = next;
    }
  }
  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const {
    std::optional<dtls::Instant> earliest;
    for (const auto& [address, client] : clients_) {
      const auto next = client.connection.next_timeout();
      if (next && (!earliest || *next < *earliest)) earliest = next;
    }
    return earliest;
  }

  [[nodiscard]] std::size_t served() const { return served_; }
  [[nodiscard]] const dtls::ListenerStatistics& statistics() const {
    return listener_.statistics();
  }

 private:
  struct Client {
    Client(dtls::Connection made, const sockaddr_in& from)
        : connection(std::move(made)), address(from) {}
    dtls::Connection connection;
    sockaddr_in address;
  };
  using Clients = std::map<Address, Client>;

  // After every input, also after an Error: its alert is still to be sent.
  void settle(Clients::iterator client, const dtls::Result<dtls::Pending>& input) {
    auto& [connection, address] = client->second;
    if (!input) std::cerr << to_string(input.error()) << '\n';
    std::byte out[dtls::kMaxDatagram];
    while (const auto next = connection.poll_transmit(out)) send({out, next->size}, address);
    while (const auto data = connection.poll_data()) {
      if (const auto size = connection.seal(*data, out)) send({out, *size}, address);  // an echo
    }
    while (connection.poll_event()) continue;  // Connected, Closed
    if (!connection.ended()) return;
    clients_.erase(client);
    ++served_;
  }

  void send(dtls::Bytes datagram, const sockaddr_in& to) const {
    sendto(socket_, datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&to),
           sizeof to);
  }

  int socket_;
  dtls::Environment& environment_;
  dtls::Listener listener_;
  Clients clients_;
  std::size_t served_ = 0;
};

void serve(int socket, const dtls::ConfigPtr& config, std::size_t clients) {
  auto environment = dtls::Environment::make().value();
  Server server(socket, config, environment);
  while (server.served() < clients) {
    int wait = -1;
    if (const auto timeout = server.next_timeout()) {
      const auto time = std::chrono::ceil<std::chrono::milliseconds>(*timeout - now());
      wait = std::max(0, static_cast<int>(time.count()));
    }
    pollfd readable{.fd = socket, .events = POLLIN, .revents = 0};
    poll(&readable, 1, wait);
    server.on_timeout();
    std::byte buffer[dtls::kMaxDatagram];
    sockaddr_in from{};
    socklen_t from_size = sizeof from;
    const auto size = recvfrom(socket, buffer, sizeof buffer, MSG_DONTWAIT,
                               reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size > 0) {
      server.on_datagram(std::span(buffer).first(static_cast<std::size_t>(size)), from);
    }
  }
  std::cout << server.statistics().admissions << " clients let in\n";
}

// ---- the client, as in own_socket.cc

bool ask(int socket, const dtls::ConfigPtr& config, const dtls::Fingerprint& servers) {
  auto environment = dtls::Environment::make().value();
  auto connection = dtls::Connection::client(config, environment, dtls::PathId{0}, now()).value();
  if (!connection.set_peer_fingerprints({&servers, 1}, now())) return false;
  const auto question = std::as_bytes(std::span("is there an echo?"));
  std::byte buffer[dtls::kMaxDatagram];
  const auto transmit = [&] {
    while (const auto next = connection.poll_transmit(buffer)) send(socket, buffer, next->size, 0);
  };
  bool asked = false;
  bool answered = false;
  transmit();
  while (!answered) {
    pollfd readable{.fd = socket, .events = POLLIN, .revents = 0};
    poll(&readable, 1, 10);
    if (!connection.handle_timeout(now())) return false;
    const auto size = recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
    if (size > 0) {
      const auto datagram = std::span(buffer).first(static_cast<std::size_t>(size));
      if (!connection.handle_datagram(datagram, connection.path(), now())) return false;
    }
    while (const auto data = connection.poll_data()) answered = std::ranges::equal(*data, question);
    transmit();
    if (connection.connected() && !std::exchange(asked, true)) {
      if (const auto sealed = connection.seal(question, buffer)) send(socket, buffer, *sealed, 0);
    }
  }
  static_cast<void>(connection.close(now()));
  transmit();
  return true;
}

// A UDP socket on loopback, connected to `peer` if there is one.
int make_socket(const sockaddr_in* peer, sockaddr_in& own) {
  own = {};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof own;
  auto* address = reinterpret_cast<sockaddr*>(&own);
  const int made = socket(AF_INET, SOCK_DGRAM, 0);
  if (made < 0 || bind(made, address, size) != 0) std::abort();
  getsockname(made, address, &size);
  if (peer != nullptr &&
      connect(made, reinterpret_cast<const sockaddr*>(peer), sizeof *peer) != 0) {
    std::abort();
  }
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
  const int listening = make_socket(nullptr, address);
  constexpr std::size_t kClients = 3;
  const std::jthread server([&] { serve(listening, config, kClients); });
  std::size_t answered = 0;
  for (std::size_t i = 0; i < kClients; ++i) {
    if (ask(make_socket(&address, unused), config, fingerprint)) ++answered;
  }
  std::cout << answered << " echoes\n";
  return answered == kClients ? 0 : 1;
}
