// A whole handshake in memory, both roles in one thread: mutually authenticated ECDHE_ECDSA with
// P-256 certificates, use_srtp and an export at each end, or a PSK alone. "per side" is half of it.
// The floor is what libcrypto must compute for it, and nothing else.
#include <benchmark/benchmark.h>
#include <sluice/dtls/connection.h>

#include <array>
#include <stdexcept>

#include "primitives.h"
#include "support/endpoints.h"
#include "support/libssl_peer.h"

namespace sluice::bench {
namespace {

using dtls::NamedGroup;

struct Kind {
  dtls::ProtocolVersion version = dtls::ProtocolVersion::dtls12;
  NamedGroup group = NamedGroup::x25519;
  bool psk = false;  // PSK_WITH_AES_128_CCM_8
};

constexpr Kind kX25519{};
constexpr Kind kP256{.group = NamedGroup::secp256r1};
constexpr Kind kX25519In13{.version = dtls::ProtocolVersion::dtls13};
constexpr Kind kP256In13{.version = dtls::ProtocolVersion::dtls13, .group = NamedGroup::secp256r1};
constexpr Kind kPsk{.psk = true};

dtls::Buffer psk() { return dtls::Buffer(16, std::byte{0x17}); }

dtls::ConfigOptions options_of(const Kind& kind) {
  dtls::ConfigOptions options = test::options_for(kind.version);
  if (kind.psk) {
    options.identities.clear();
    options.srtp_profiles.clear();
    options.pre_shared_keys = {
        test::must(dtls::PreSharedKey::make(std::as_bytes(std::span("us", 2)), psk()))};
    options.cipher_suites = {dtls::CipherSuite::psk_with_aes_128_ccm_8};
    return options;
  }
  // libssl wants its certificate's curve listed; so both list it.
  options.groups = {kind.group};
  if (kind.group != NamedGroup::secp256r1) options.groups.push_back(NamedGroup::secp256r1);
  options.cipher_suites = {dtls::CipherSuite::aes_128_gcm_sha256,
                           dtls::CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256};
  return options;
}

test::LibsslOptions libssl_options_of(const Kind& kind, bool is_server) {
  test::LibsslOptions options{.is_server = is_server};
  options.groups = kind.group == NamedGroup::x25519 ? "X25519:P-256" : "P-256";
  if (kind.psk) {
    options.cipher = "PSK-AES128-CCM8:@SECLEVEL=0";
    options.srtp_profiles.clear();
    options.psk_identity = "us";
    options.psk = psk();
    options.asks_for_certificate = false;
  }
  return options;
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

void sluice_handshake(benchmark::State& state, const Kind& kind) {
  const auto config = test::make_config(options_of(kind));
  dtls::Environment& environment = test::environment();
  const std::array fingerprints{test::must(dtls::Fingerprint::of(
      test::ecdsa_identity().certificate(), dtls::HashAlgorithm::sha256, environment))};
  while (state.KeepRunning()) {
    auto client = test::must(dtls::Connection::client(config, environment, test::kPath, {}));
    auto server = test::must(dtls::Connection::server(config, environment, test::kPath, {}));
    if (!kind.psk) {
      test::must(client.set_peer_fingerprints(fingerprints, {}));
      test::must(server.set_peer_fingerprints(fingerprints, {}));
    }
    while (!client.connected() || !server.connected()) {
      carry(client, server);
      carry(server, client);
    }
    if (kind.psk) continue;
    benchmark::DoNotOptimize(test::must(client.srtp_keys()));
    benchmark::DoNotOptimize(test::must(server.srtp_keys()));
  }
  report(state);
}

void libssl_handshake(benchmark::State& state, const Kind& kind) {
  // The contexts, with keys and certificates, are made once, as our Config is.
  const test::LibsslContext server_context(libssl_options_of(kind, true));
  const test::LibsslContext client_context(libssl_options_of(kind, false));
  while (state.KeepRunning()) {
    test::LibsslPeer client(client_context);
    test::LibsslPeer server(server_context);
    client.advance();
    while (!client.connected() || !server.connected()) {
      for (auto& datagram : client.take_datagrams()) server.receive(std::move(datagram));
      for (auto& datagram : server.take_datagrams()) client.receive(std::move(datagram));
    }
    if (kind.psk) continue;
    benchmark::DoNotOptimize(client.export_keying_material(88, "EXTRACTOR-dtls_srtp", nullptr));
    benchmark::DoNotOptimize(server.export_keying_material(88, "EXTRACTOR-dtls_srtp", nullptr));
  }
  report(state);
}

// Each side makes a share, derives the secret, signs once and verifies once.
void floor_handshake(benchmark::State& state, const Kind& kind) {
  const Primitives primitives(kind.group);
  while (state.KeepRunning()) {
    for (int side = 0; side < 2; ++side) primitives.run_one_side();
  }
  report(state);
}

BENCHMARK_CAPTURE(sluice_handshake, x25519, kX25519)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(libssl_handshake, x25519, kX25519)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(floor_handshake, x25519, kX25519)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(sluice_handshake, p256, kP256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(libssl_handshake, p256, kP256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(floor_handshake, p256, kP256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(sluice_handshake, x25519_dtls13, kX25519In13)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(sluice_handshake, p256_dtls13, kP256In13)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(sluice_handshake, psk_ccm_8, kPsk)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(libssl_handshake, psk_ccm_8, kPsk)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sluice::bench
