// Where the engine's random numbers come from.
#pragma once

#include <sluice/dtls/bytes.h>

namespace sluice::dtls {

// A caller's own source of random bytes. All randomness of an Environment made with one goes
// through it, ephemeral keys and ECDSA nonces included, so a deterministic source replays a whole
// handshake byte for byte. Called only from the threads that use that Environment.
class RandomSource {
 public:
  RandomSource() = default;
  RandomSource(const RandomSource&) = delete;
  RandomSource& operator=(const RandomSource&) = delete;
  virtual ~RandomSource() = default;
  // Fills all of `out`; must not fail.
  virtual void fill(MutableBytes out) = 0;
};

}  // namespace sluice::dtls
