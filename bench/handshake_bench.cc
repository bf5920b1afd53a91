// A whole handshake in memory, both roles in one thread: mutually authenticated ECDHE_ECDSA with
// P-256 certificates, use_srtp and an export at each end. "per side" is half of it.
#include <benchmark/benchmark.h>
#include <sluice/dtls/connection.h>

#include <array>
#include <stdexcept>

#include "support/endpoints.h"
#include "support/libssl_peer.h"

namespace sluice::bench {
namespace {

using dtls::NamedGroup;

const char* libssl_name(NamedGroup group) {
  return group == NamedGroup::x25519 ? "X25519:P-256" : "P-256";
}

void report(benchmark::State& state) {
  state.counters["per_side"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * 2,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void carry(dtls::Connection& from, dtls::Connection& to) {
  std::array<std::byte, 1500> datagram{};
  while (const auto transmit = from.poll_transmit(datagram)) {
    if (!to.handle_datagram(dtls::MutableBytes(datagram).first(transmit->size), transmit->path,
                            {})) {
      throw std::runtime_error("handshake failed");
    }
    while (to.poll_event()) {
    }
  }
}

void sluice_handshake(benchmark::State& state, NamedGroup group) {
  dtls::ConfigOptions options = test::options();
  // libssl wants its certificate's curve listed; so both list it.
  options.groups = {group};
  if (group != NamedGroup::secp256r1) options.groups.push_back(NamedGroup::secp256r1);
  options.cipher_suites = {dtls::CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256};
  const auto config = test::make_config(options);
  dtls::Environment& environment = test::environment();
  const std::array fingerprints{test::must(dtls::Fingerprint::of(
      options.identities.front().certificate(), dtls::HashAlgorithm::sha256, environment))};
  while (state.KeepRunning()) {
    auto client = test::must(dtls::Connection::client(config, environment, test::kPath, {}));
    auto server = test::must(dtls::Connection::server(config, environment, test::kPath, {}));
    test::must(client.set_peer_fingerprints(fingerprints, {}));
    test::must(server.set_peer_fingerprints(fingerprints, {}));
    while (!client.connected()) {
      carry(client, server);
      carry(server, client);
    }
    benchmark::DoNotOptimize(test::must(client.srtp_keys()));
    benchmark::DoNotOptimize(test::must(server.srtp_keys()));
  }
  report(state);
}

void libssl_handshake(benchmark::State& state, NamedGroup group) {
  // The contexts, with keys and certificates, are made once, as our Config is.
  const test::LibsslContext server_context({.is_server = true, .groups = libssl_name(group)});
  const test::LibsslContext client_context({.is_server = false, .groups = libssl_name(group)});
  while (state.KeepRunning()) {
    test::LibsslPeer client(client_context);
    test::LibsslPeer server(server_context);
    client.advance();
    while (!client.connected() || !server.connected()) {
      for (auto& datagram : client.take_datagrams()) server.receive(std::move(datagram));
      for (auto& datagram : server.take_datagrams()) client.receive(std::move(datagram));
    }
    benchmark::DoNotOptimize(client.export_keying_material(88, "EXTRACTOR-dtls_srtp", nullptr));
    benchmark::DoNotOptimize(server.export_keying_material(88, "EXTRACTOR-dtls_srtp", nullptr));
  }
  report(state);
}

BENCHMARK_CAPTURE(sluice_handshake, x25519, NamedGroup::x25519)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(libssl_handshake, x25519, NamedGroup::x25519)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(sluice_handshake, p256, NamedGroup::secp256r1)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(libssl_handshake, p256, NamedGroup::secp256r1)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sluice::bench
