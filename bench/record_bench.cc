// One record of application data, AES-128-GCM: sealed and opened by Sluice and by libssl, and the
// bare cipher beneath both.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <vector>

#include "support/endpoints.h"
#include "support/libssl_peer.h"

namespace sluice::bench {
namespace {

constexpr std::array kSizes{64, 300, 1200};

void sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int size : kSizes) benchmark->Arg(size);
}

// Sealing alone, then sealing and opening: their difference is opening.
enum class Work { seal, seal_and_open };

void sluice_record(benchmark::State& state, Work work, dtls::ProtocolVersion version) {
  dtls::ConfigOptions options = test::options_for(version);
  options.cipher_suites = {dtls::CipherSuite::aes_128_gcm_sha256,
                           dtls::CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256};
  const auto config = test::make_config(options);
  test::Peer client = test::make_client(config);
  test::Peer server = test::make_server(config);
  test::exchange(client, server);
  const dtls::Buffer data(static_cast<std::size_t>(state.range(0)), std::byte{0x42});
  dtls::Buffer out(data.size() + dtls::kSealOverhead);
  while (state.KeepRunning()) {
    const auto size = client.connection().seal(data, out);
    if (work == Work::seal) continue;
    benchmark::DoNotOptimize(
        server.connection().handle_datagram(dtls::MutableBytes(out).first(*size), test::kPath, {}));
    benchmark::DoNotOptimize(server.connection().poll_data());
  }
}

void libssl_record(benchmark::State& state, Work work) {
  test::LibsslPeer client({.is_server = false});
  test::LibsslPeer server({.is_server = true});
  client.advance();
  while (!client.connected() || !server.connected()) {
    for (auto& datagram : client.take_datagrams()) server.receive(std::move(datagram));
    for (auto& datagram : server.take_datagrams()) client.receive(std::move(datagram));
  }
  const dtls::Buffer data(static_cast<std::size_t>(state.range(0)), std::byte{0x42});
  while (state.KeepRunning()) {
    client.send(data);
    auto datagrams = client.take_datagrams();
    if (work == Work::seal) continue;
    server.receive(std::move(datagrams.front()));
    server.data.clear();
  }
}

void raw_evp_seal(benchmark::State& state) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const std::array<unsigned char, 16> key{1};
  std::array<unsigned char, 12> nonce{};
  const std::array<unsigned char, 13> header{};
  EVP_EncryptInit_ex2(context.get(), EVP_aes_128_gcm(), key.data(), nonce.data(), nullptr);
  const std::vector<unsigned char> data(static_cast<std::size_t>(state.range(0)), 0x42);
  std::vector<unsigned char> out(data.size() + 16);
  int size = 0;
  while (state.KeepRunning()) {
    ++nonce[11];
    EVP_EncryptInit_ex2(context.get(), nullptr, nullptr, nonce.data(), nullptr);
    EVP_EncryptUpdate(context.get(), nullptr, &size, header.data(), header.size());
    EVP_EncryptUpdate(context.get(), out.data(), &size, data.data(), static_cast<int>(data.size()));
    EVP_EncryptFinal_ex(context.get(), out.data() + size, &size);
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, out.data() + data.size());
    benchmark::DoNotOptimize(out.data());
  }
}

constexpr auto kDtls12 = dtls::ProtocolVersion::dtls12;
constexpr auto kDtls13 = dtls::ProtocolVersion::dtls13;

BENCHMARK_CAPTURE(sluice_record, seal_dtls12, Work::seal, kDtls12)->Apply(sizes);
BENCHMARK_CAPTURE(sluice_record, seal_dtls13, Work::seal, kDtls13)->Apply(sizes);
BENCHMARK_CAPTURE(libssl_record, seal_dtls12, Work::seal)->Apply(sizes);
BENCHMARK(raw_evp_seal)->Apply(sizes);
BENCHMARK_CAPTURE(sluice_record, seal_and_open_dtls12, Work::seal_and_open, kDtls12)->Apply(sizes);
BENCHMARK_CAPTURE(sluice_record, seal_and_open_dtls13, Work::seal_and_open, kDtls13)->Apply(sizes);
BENCHMARK_CAPTURE(libssl_record, seal_and_open_dtls12, Work::seal_and_open)->Apply(sizes);

}  // namespace
}  // namespace sluice::bench
