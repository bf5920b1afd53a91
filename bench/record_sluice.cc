#include <stdexcept>

#include "record.h"
#include "record_batch.h"
#include "support/endpoints.h"

namespace sluice::bench {
namespace {

dtls::CipherSuite suite_of(const RecordKind& kind) {
  using dtls::CipherSuite;
  switch (kind.aead) {
    case RecordAead::aes_128_gcm:
      return kind.is_13() ? CipherSuite::aes_128_gcm_sha256
                          : CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256;
    case RecordAead::aes_256_gcm:
      return kind.is_13() ? CipherSuite::aes_256_gcm_sha384
                          : CipherSuite::ecdhe_ecdsa_with_aes_256_gcm_sha384;
    case RecordAead::chacha20_poly1305:
      return kind.is_13() ? CipherSuite::chacha20_poly1305_sha256
                          : CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256;
    case RecordAead::aes_128_ccm:
      return kind.is_13() ? CipherSuite::aes_128_ccm_sha256
                          : CipherSuite::ecdhe_ecdsa_with_aes_128_ccm;
    case RecordAead::aes_128_ccm_8:
      return kind.is_13() ? CipherSuite::aes_128_ccm_8_sha256
                          : CipherSuite::ecdhe_ecdsa_with_aes_128_ccm_8;
  }
  throw std::logic_error("AEAD");
}

}  // namespace

void run_sluice_records(benchmark::State& state, const RecordKind& kind) {
  dtls::ConfigOptions options = test::options_for(kind.version);
  options.cipher_suites = {suite_of(kind)};
  // CCM_8's tag is short: DTLS 1.3 wants a bound.
  if (kind.aead == RecordAead::aes_128_ccm_8) options.max_forgeries_per_key = 1000;
  const auto config = test::make_config(options);
  test::Peer client = test::make_client(config);
  test::Peer server = test::make_server(config);
  test::exchange(client, server);
  if (!client.connected || !server.connected) throw std::runtime_error("not connected");
  dtls::Connection& from = client.connection();
  dtls::Connection& to = server.connection();
  const dtls::Buffer data(kind.size, std::byte{0x42});
  run_record_work(
      state, kind.work, [&](dtls::MutableBytes room) { return from.seal(data, room).value_or(0); },
      [&](dtls::MutableBytes record) {
        benchmark::DoNotOptimize(to.handle_datagram(record, test::kPath, {}));
        if (!to.poll_data()) throw std::runtime_error("not opened");
      });
}

}  // namespace sluice::bench
