#include <stdexcept>

#include "gnutls_peer.h"
#include "record.h"
#include "record_batch.h"

namespace sluice::bench {
namespace {

const char* cipher_of_gnutls(RecordAead aead) {
  switch (aead) {
    case RecordAead::aes_128_gcm:
      return "AES-128-GCM";
    case RecordAead::aes_256_gcm:
      return "AES-256-GCM";
    case RecordAead::chacha20_poly1305:
      return "CHACHA20-POLY1305";
    case RecordAead::aes_128_ccm:
      return "AES-128-CCM";
    case RecordAead::aes_128_ccm_8:
      return "AES-128-CCM-8";
  }
  throw std::logic_error("AEAD");
}

}  // namespace

void run_gnutls_records(benchmark::State& state, const RecordKind& kind) {
  const GnutlsContext server_context({.is_server = true, .cipher = cipher_of_gnutls(kind.aead)});
  const GnutlsContext client_context({.is_server = false, .cipher = cipher_of_gnutls(kind.aead)});
  GnutlsPeer client(client_context);
  GnutlsPeer server(server_context);
  connect(client, server);
  const dtls::Buffer data(kind.size, std::byte{0x42});
  dtls::Buffer plain(kRecordRoom);
  run_record_work(
      state, kind.work, [&](dtls::MutableBytes room) { return client.seal(data, room); },
      [&](dtls::MutableBytes record) { benchmark::DoNotOptimize(server.open(record, plain)); });
}

}  // namespace sluice::bench
