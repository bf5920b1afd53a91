// A whole handshake in memory, both roles in one thread: mutually authenticated ECDHE_ECDSA with
// P-256 certificates known by their fingerprints, use_srtp and an export at each end, or a PSK.
#pragma once

#include <benchmark/benchmark.h>
#include <sluice/dtls/protocol.h>

#include <cstdint>

namespace sluice::bench {

enum class Resumed : std::uint8_t { no, session_id, ticket };

struct HandshakeKind {
  dtls::ProtocolVersion version = dtls::ProtocolVersion::dtls12;
  dtls::NamedGroup group = dtls::NamedGroup::x25519;
  bool psk = false;  // in DTLS 1.2 PSK_WITH_AES_128_CCM_8, in 1.3 with a Diffie-Hellman exchange
  Resumed resumed = Resumed::no;

  [[nodiscard]] bool is_13() const { return version == dtls::ProtocolVersion::dtls13; }
};

// The master keys and salts of SRTP_AEAD_AES_256_GCM, both sides'.
inline constexpr int kSrtpKeyingMaterial = 88;
inline constexpr const char* kSrtpExporter = "EXTRACTOR-dtls_srtp";
inline constexpr const char* kPskIdentity = "us";

void run_sluice_handshakes(benchmark::State& state, const HandshakeKind& kind);
void run_libssl_handshakes(benchmark::State& state, const HandshakeKind& kind);
void run_gnutls_handshakes(benchmark::State& state, const HandshakeKind& kind);
// What libcrypto must compute for it, and nothing else.
void run_handshake_floor(benchmark::State& state, const HandshakeKind& kind);

}  // namespace sluice::bench
