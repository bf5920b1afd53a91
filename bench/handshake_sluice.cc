#include <sluice/dtls/connection.h>
#include <sluice/dtls/resumption_store.h>

#include <array>
#include <stdexcept>

#include "handshake.h"
#include "handshake_options.h"
#include "support/endpoints.h"

namespace sluice::bench {
namespace {

class SluiceHandshake {
 public:
  // The server's environment. The client has its own, as on another machine.
  SluiceHandshake(const HandshakeKind& kind, dtls::Environment& environment)
      : kind_(kind),
        environment_(environment),
        client_environment_(test::must(dtls::Environment::make())),
        config_(test::make_config(handshake_options(kind))),
        fingerprints_{test::must(dtls::Fingerprint::of(test::ecdsa_identity().certificate(),
                                                       dtls::HashAlgorithm::sha256, environment))} {
    if (kind.resumed == Resumed::no) return;
    // The session that all others resume.
    run({});
    if (!received_) throw std::runtime_error("no session to resume");
    session_ = received_;
    if (!run(session_)) throw std::runtime_error("not resumed");
  }

  void run() { run(session_); }

 private:
  // Whether it was a resumed one.
  bool run(const std::optional<dtls::ResumableSession>& session) {
    auto client = test::must(
        dtls::Connection::client(config_, client_environment_, test::kPath, {}, session));
    auto server = test::must(dtls::Connection::server(config_, environment_, test::kPath, {}));
    if (!kind_.psk) {
      test::must(client.set_peer_fingerprints(fingerprints_, {}));
      test::must(server.set_peer_fingerprints(fingerprints_, {}));
    }
    while (!client.connected() || !server.connected()) {
      const bool moved = carry(client, server);
      if (!carry(server, client) && !moved) throw std::runtime_error("handshake stalled");
    }
    // What follows the handshake, a ticket in DTLS 1.3.
    if (kind_.resumed != Resumed::no) carry(server, client);
    if (!kind_.psk) {
      benchmark::DoNotOptimize(test::must(client.srtp_keys()));
      benchmark::DoNotOptimize(test::must(server.srtp_keys()));
    }
    return is_resumed_;
  }

  bool carry(dtls::Connection& from, dtls::Connection& to) {
    std::array<std::byte, 1500> datagram{};
    bool moved = false;
    while (const auto sent = from.poll_transmit(datagram)) {
      moved = true;
      if (!to.handle_datagram(dtls::MutableBytes(datagram).first(sent->size), sent->path, {})) {
        throw std::runtime_error("handshake failed");
      }
      while (const auto event = to.poll_event()) on_event(to, *event);
    }
    // A server that has stored its session says so when its last flight leaves.
    while (const auto event = from.poll_event()) on_event(from, *event);
    return moved;
  }

  void on_event(dtls::Connection& connection, const dtls::Event& event) {
    if (const auto* connected = std::get_if<dtls::Connected>(&event)) {
      is_resumed_ = connected->info.resumed;
    } else if (const auto* received = std::get_if<dtls::SessionReceived>(&event)) {
      received_ = received->session;
    } else if (const auto* to_store = std::get_if<dtls::SessionToStore>(&event)) {
      store_.keep(*to_store, {});
    } else if (const auto* asked = std::get_if<dtls::SessionRequested>(&event)) {
      test::must(connection.answer(asked->question, store_.answer(*asked, {}), {}));
    }
  }

  HandshakeKind kind_;
  dtls::Environment& environment_;
  dtls::Environment client_environment_;
  dtls::ConfigPtr config_;
  std::array<dtls::Fingerprint, 1> fingerprints_;
  dtls::ResumptionStore store_;
  std::optional<dtls::ResumableSession> session_;
  std::optional<dtls::ResumableSession> received_;
  bool is_resumed_ = false;
};

}  // namespace

dtls::ConfigOptions handshake_options(const HandshakeKind& kind) {
  using dtls::CipherSuite;
  dtls::ConfigOptions options = test::options_for(kind.version);
  // libssl wants its certificate's curve listed; so all list it.
  options.groups = {kind.group};
  if (kind.group != dtls::NamedGroup::secp256r1) {
    options.groups.push_back(dtls::NamedGroup::secp256r1);
  }
  options.cipher_suites = {CipherSuite::aes_128_gcm_sha256,
                           CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256};
  if (kind.psk) {
    options.identities.clear();
    options.srtp_profiles.clear();
    options.pre_shared_keys = {test::must(
        dtls::PreSharedKey::make(std::as_bytes(std::span(kPskIdentity, 2)), handshake_psk()))};
    if (!kind.is_13()) options.cipher_suites = {CipherSuite::psk_with_aes_128_ccm_8};
  }
  if (kind.resumed == Resumed::session_id) options.resumption = dtls::Resumption::store;
  if (kind.resumed == Resumed::ticket) {
    options.resumption = dtls::Resumption::tickets;
    options.ticket_keys = std::make_shared<dtls::TicketKeys>();
  }
  return options;
}

dtls::Buffer handshake_psk() { return dtls::Buffer(16, std::byte{0x17}); }

void run_sluice_handshakes(benchmark::State& state, const HandshakeKind& kind) {
  SluiceHandshake handshake(kind, test::environment());
  while (state.KeepRunning()) handshake.run();
}

std::function<void()> sluice_handshakes(const HandshakeKind& kind, dtls::Environment& environment) {
  return [handshake = std::make_shared<SluiceHandshake>(kind, environment)] { handshake->run(); };
}

}  // namespace sluice::bench
