// The floor: what each kind of handshake must compute, counted from the RFCs.
#include "handshake.h"
#include "primitives.h"

namespace sluice::bench {
namespace {

// RFC 5246 section 5: a PRF of n blocks is 2n HMACs under one key.
constexpr int prf(int bytes) { return 2 * ((bytes + 31) / 32); }

constexpr int kMasterSecret = prf(48);
constexpr int kKeyBlock = prf(40);  // AES-128-GCM and CCM_8: two keys of 16 bytes, two salts of 4
constexpr int kFinished = prf(12);

PrimitiveCounts counts12(const HandshakeKind& kind) {
  PrimitiveCounts counts{.record_keys = 2, .records = 2, .record_size = 24};
  const int exports = kind.psk ? 0 : prf(kSrtpKeyingMaterial);
  if (kind.resumed != Resumed::no) {
    // RFC 5246 figure 2: the master secret is there.
    counts.hmac_keys = 1;
    counts.hmacs = kKeyBlock + 2 * kFinished + exports;
    counts.transcript = 400;
    counts.transcript_hashes = 2;
    return counts;
  }
  if (!kind.psk) counts.group = kind.group;
  counts.certificates = !kind.psk;
  counts.hmac_keys = 2;  // the premaster secret's and the master secret's
  counts.hmacs = kMasterSecret + kKeyBlock + 2 * kFinished + exports;
  counts.transcript = kind.psk ? 350 : 1500;
  counts.transcript_hashes = kind.psk ? 3 : 4;  // session hash, CertificateVerify, Finished
  return counts;
}

// RFC 8446 section 7.1: a Derive-Secret or HKDF-Extract is one HMAC. What depends on no secret
// (the early secret without a PSK and what is derived from it) is known beforehand.
PrimitiveCounts counts13(const HandshakeKind& kind) {
  const bool has_psk = kind.psk || kind.resumed != Resumed::no;
  PrimitiveCounts counts{.group = kind.group, .certificates = !has_psk};
  // Two Extracts; under the handshake secret c hs, s hs and derived, under the master secret
  // c ap, s ap and exp master; key, iv and sn under four secrets; two Finished keys and values.
  counts.hmac_keys = 2 + 2 + 4 + 2;
  counts.hmacs = 2 + 3 + 3 + 4 * 3 + 2 + 2;
  if (!kind.psk) {
    // The exporter's secret, then its output.
    counts.hmac_keys += 2;
    counts.hmacs += 1 + (kSrtpKeyingMaterial + 31) / 32;
  }
  if (has_psk) {
    // The early secret, from it derived and the binder's key, from that the Finished key, the
    // binder.
    counts.hmac_keys += 4;
    counts.hmacs += 5;
  }
  counts.transcript = has_psk ? 600 : 1500;
  counts.transcript_hashes = has_psk ? 5 : 6;
  counts.record_keys = 4;
  counts.mask_keys = 4;
  // EncryptedExtensions, the certificates' messages, Finished, an ACK; each side opens what the
  // other seals.
  counts.records = has_psk ? 4 : 9;
  counts.record_size = 150;
  return counts;
}

}  // namespace

void run_handshake_floor(benchmark::State& state, const HandshakeKind& kind) {
  Primitives primitives(kind.is_13() ? counts13(kind) : counts12(kind));
  while (state.KeepRunning()) {
    for (int side = 0; side < 2; ++side) primitives.run_one_side();
  }
}

}  // namespace sluice::bench
