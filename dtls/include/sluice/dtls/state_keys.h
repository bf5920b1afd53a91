// Keys under which states are stored or sent: SessionState, Snapshot, the secrets of TicketKeys and
// of a Listener, or anything else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/environment.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/secret.h>

namespace sluice::dtls {

// Names a key. Never give two keys the same id. It is readable in what the key has sealed.
enum class StateKeyId : std::uint32_t {};

// Seals with one key, opens with all of them (AES-256-GCM). Several threads may use one
// object at once, and several processes the same keys.
//
// `context` says what the bytes are and where they belong, such as the name under which a store
// keeps them, with the number of the version that is valid now: what is moved to another place, or
// is an older version put back, does not open. It is authenticated, not stored; any size.
class StateKeys {
 public:
  static constexpr std::size_t kKeySize = 32;  // bytes
  // What seal() adds: format, id, nonce, tag.
  static constexpr std::size_t kOverhead = 1 + sizeof(StateKeyId) + 12 + 16;

  StateKeys();
  StateKeys(const StateKeys&) = delete;
  StateKeys& operator=(const StateKeys&) = delete;
  ~StateKeys();

  // This key seals from now on; the others still open. `key` has kKeySize random bytes. Nonces are
  // random, so a key must not seal more than 2^32 times in all processes together (NIST SP 800-38D
  // section 8.3): add another one before. Errors: invalid_argument for a key of another size or an
  // id that is in use.
  Result<void> add(StateKeyId id, Bytes key);
  // This key opens, and does not seal before seal_with(). For processes that share a store: each
  // must have a key before one of them seals with it. Errors: as add().
  Result<void> add_for_opening(StateKeyId id, Bytes key);
  // This key seals from now on. False: there is no such key.
  bool seal_with(StateKeyId id);
  // What this key has sealed cannot be opened any more. If it was the one that seals, the one
  // before it seals again. False: there is no such key.
  bool remove(StateKeyId id);

  // Errors: invalid_argument without a key that seals; libcrypto_failure.
  Result<Buffer> seal(Environment& environment, Bytes state, Bytes context) const;
  // Errors: decode_error for what seal() did not write; unknown_state_key; state_not_authentic for
  // altered bytes or another context; libcrypto_failure.
  Result<SecretBytes> open(Environment& environment, Bytes sealed, Bytes context) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::dtls
