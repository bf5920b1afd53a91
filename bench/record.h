// One record of application data, sealed or opened.
#pragma once

#include <benchmark/benchmark.h>
#include <sluice/dtls/protocol.h>

#include <cstddef>
#include <cstdint>

namespace sluice::bench {

enum class RecordAead : std::uint8_t {
  aes_128_gcm,
  aes_256_gcm,
  chacha20_poly1305,
  aes_128_ccm,
  aes_128_ccm_8,
};

enum class RecordWork : std::uint8_t { seal, open };

struct RecordKind {
  dtls::ProtocolVersion version = dtls::ProtocolVersion::dtls12;
  RecordAead aead = RecordAead::aes_128_gcm;
  RecordWork work = RecordWork::seal;
  std::size_t size = 0;  // of the data

  [[nodiscard]] bool is_13() const { return version == dtls::ProtocolVersion::dtls13; }
};

// As many records are made ready to be opened at a time, the clock being stopped: few enough to
// stay in the cache.
inline constexpr std::size_t kRecordBatch = 64;
inline constexpr std::size_t kRecordRoom = 1500;

void run_sluice_records(benchmark::State& state, const RecordKind& kind);
void run_libssl_records(benchmark::State& state, const RecordKind& kind);
void run_gnutls_records(benchmark::State& state, const RecordKind& kind);
// The bare cipher, and for DTLS 1.3 the mask of the record number.
void run_evp_records(benchmark::State& state, const RecordKind& kind);

}  // namespace sluice::bench
