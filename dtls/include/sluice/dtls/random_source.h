// The source of the engine's random numbers.
#pragma once

#include <sluice/dtls/bytes.h>

namespace sluice::dtls {

// A source of random bytes supplied by the caller. All randomness of its Environment comes from it,
// ephemeral keys and ECDSA nonces included, so that a deterministic source repeats a whole
// handshake byte for byte. Called only on the threads that use that Environment.
class RandomSource {
 public:
  RandomSource() = default;
  RandomSource(const RandomSource&) = delete;
  RandomSource& operator=(const RandomSource&) = delete;
  virtual ~RandomSource() = default;
  // Fills all of `out`. It must not fail and must not throw.
  virtual void fill(MutableBytes out) = 0;
};

}  // namespace sluice::dtls
