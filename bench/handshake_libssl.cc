#include <memory>
#include <stdexcept>

#include "handshake.h"
#include "handshake_options.h"
#include "support/libssl_peer.h"

namespace sluice::bench {
namespace {

class LibsslHandshake {
 public:
  explicit LibsslHandshake(const HandshakeKind& kind)
      : kind_(kind),
        server_context_(handshake_options_of_libssl(kind, true)),
        client_context_(handshake_options_of_libssl(kind, false)) {
    if (kind.resumed == Resumed::no) return;
    run();
    if (!run()) throw std::runtime_error("libssl has not resumed");
  }

  // Whether it was a resumed one.
  bool run() {
    test::LibsslPeer client(client_context_);
    test::LibsslPeer server(server_context_);
    if (session_) SSL_set_session(client.ssl(), session_.get());
    client.advance();
    while (!client.connected() || !server.connected()) {
      for (auto& datagram : client.take_datagrams()) server.receive(std::move(datagram));
      for (auto& datagram : server.take_datagrams()) client.receive(std::move(datagram));
      if (!client.error().empty()) throw std::runtime_error(client.error());
      if (!server.error().empty()) throw std::runtime_error(server.error());
    }
    if (!kind_.psk) {
      for (const auto* peer : {&client, &server}) {
        benchmark::DoNotOptimize(
            peer->export_keying_material(kSrtpKeyingMaterial, kSrtpExporter, nullptr));
      }
    }
    if (kind_.resumed == Resumed::no) return false;
    if (!session_) session_.reset(SSL_get1_session(client.ssl()));
    // libssl forgets the session of a connection that wasn't shut down.
    for (const auto* peer : {&client, &server}) {
      SSL_set_shutdown(peer->ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    return SSL_session_reused(client.ssl()) == 1;
  }

 private:
  HandshakeKind kind_;
  // With keys and certificates, made once, as our Config is.
  test::LibsslContext server_context_;
  test::LibsslContext client_context_;
  std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session_{nullptr, SSL_SESSION_free};
};

}  // namespace

test::LibsslOptions handshake_options_of_libssl(const HandshakeKind& kind, bool is_server) {
  test::LibsslOptions options{.is_server = is_server, .tickets = kind.resumed == Resumed::ticket};
  options.groups = kind.group == dtls::NamedGroup::x25519 ? "X25519:P-256" : "P-256";
  if (kind.psk) {
    options.cipher = "PSK-AES128-CCM8:@SECLEVEL=0";
    options.srtp_profiles.clear();
    options.psk_identity = kPskIdentity;
    options.psk = handshake_psk();
    options.asks_for_certificate = false;
  }
  return options;
}

void run_libssl_handshakes(benchmark::State& state, const HandshakeKind& kind) {
  LibsslHandshake handshake(kind);
  while (state.KeepRunning()) handshake.run();
}

std::function<void()> libssl_handshakes(const HandshakeKind& kind) {
  return [handshake = std::make_shared<LibsslHandshake>(kind)] { handshake->run(); };
}

}  // namespace sluice::bench
