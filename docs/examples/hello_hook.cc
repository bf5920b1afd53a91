// A client adds GREASE values to its ClientHello; the server prints what it receives.
#include <sluice/dtls/connection.h>

#include <iostream>

namespace dtls = sluice::dtls;

namespace {

// GREASE (RFC 8701): reserved values make sure that servers ignore values they don't know.
class Grease final : public dtls::HelloHook {
 public:
  void on_sending(dtls::OutgoingHello& hello) const override {
    if (hello.message != dtls::HelloMessage::client_hello) return;
    // Derived from the random, so that a second ClientHello has the same value.
    const auto value = grease(hello.random[0]);
    hello.cipher_suites.insert(hello.cipher_suites.begin(), dtls::CipherSuite{value});
    hello.extensions.insert(hello.extensions.begin(), {value, {}});
  }

 private:
  // 0x0a0a, 0x1a1a to 0xfafa.
  static std::uint16_t grease(std::byte random) {
    const unsigned octet = (std::to_integer<unsigned>(random) & 0xf0) | 0x0a;
    return static_cast<std::uint16_t>(octet << 8 | octet);
  }
};

// A fingerprint of the implementation: its suites and extensions, in order.
class Fingerprinter final : public dtls::HelloHook {
 public:
  void on_received(const dtls::IncomingHello& hello) const override {
    std::cout << std::hex << "suites";
    for (const auto suite : hello.cipher_suites) std::cout << ' ' << static_cast<unsigned>(suite);
    std::cout << "\nextensions";
    for (const auto& extension : hello.extensions) std::cout << ' ' << extension.type;
    std::cout << std::dec << '\n';
  }
};

bool carry(dtls::Connection& from, dtls::Connection& to, dtls::Instant now) {
  std::byte datagram[dtls::kMaxDatagram];
  while (const auto next = from.poll_transmit(datagram)) {
    if (!to.handle_datagram(std::span(datagram).first(next->size), next->path, now)) return false;
  }
  return true;
}

}  // namespace

int main() {
  auto environment = dtls::Environment::make().value();
  dtls::ConfigOptions options{.identities = {dtls::Identity::self_signed(environment).value()}};
  options.hello_hook = std::make_shared<Grease>();
  const auto greased = dtls::Config::make(options).value();
  options.hello_hook = std::make_shared<Fingerprinter>();
  const auto watched = dtls::Config::make(options).value();
  const auto print = dtls::Fingerprint::of(options.identities.front().certificate(),
                                           dtls::HashAlgorithm::sha256, environment)
                         .value();

  const dtls::Instant now{};  // from your clock
  auto client = dtls::Connection::client(greased, environment, dtls::PathId{0}, now).value();
  auto server = dtls::Connection::server(watched, environment, dtls::PathId{0}, now).value();
  if (!client.set_peer_fingerprints({{print}}, now)) return 1;
  if (!server.set_peer_fingerprints({{print}}, now)) return 1;
  while (!client.connected() || !server.connected()) {
    if (!carry(client, server, now) || !carry(server, client, now)) return 1;
  }
}
