#include <sluice/dtls/state_keys.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <vector>

#include "crypto/aead.h"
#include "crypto/library.h"

namespace sluice::dtls {
namespace {

using crypto::AeadAlgorithm;

constexpr AeadAlgorithm kStateAead = AeadAlgorithm::aes_256_gcm;
constexpr std::byte kStateFormat{1};
// Format and id, which the additional data begin with.
constexpr std::size_t kStateHeadSize = 1 + sizeof(StateKeyId);
using StateHead = std::array<std::byte, kStateHeadSize>;
using StateKey = Secret<StateKeys::kKeySize>;

static_assert(StateKeys::kOverhead ==
              kStateHeadSize + crypto::kAeadNonceSize + crypto::kMaxAeadTagSize);

StateHead head_of(StateKeyId id) {
  StateHead head{kStateFormat};
  auto value = static_cast<std::uint32_t>(id);
  for (std::size_t i = kStateHeadSize; i > 1; value >>= 8)
    head[--i] = static_cast<std::byte>(value);
  return head;
}

StateKeyId id_in(Bytes head) {
  std::uint32_t id = 0;
  for (const std::byte byte : head.subspan(1)) id = id << 8 | std::to_integer<std::uint32_t>(byte);
  return StateKeyId{id};
}

Buffer additional_data(Bytes head, Bytes context) {
  Buffer data(head.begin(), head.end());
  data.insert(data.end(), context.begin(), context.end());
  return data;
}

}  // namespace

struct StateKeys::State {
  struct Named {
    StateKeyId id;
    StateKey key;
    bool seals;
  };

  mutable std::mutex mutex = {};
  std::vector<Named> keys = {};  // of those that seal, the last one does

  Result<void> add(StateKeyId id, Bytes key, bool seals) {
    if (key.size() != kKeySize) return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "key"});
    const std::lock_guard lock(mutex);
    if (std::ranges::find(keys, id, &Named::id) != keys.end()) {
      return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "id: in use"});
    }
    keys.push_back({id, StateKey(key), seals});
    return {};
  }
  // The key with this id, or the one that seals.
  [[nodiscard]] std::optional<Named> find(std::optional<StateKeyId> id) const {
    const std::lock_guard lock(mutex);
    const auto is_it = [&](const Named& key) { return id ? key.id == *id : key.seals; };
    const auto found = std::ranges::find_if(keys.rbegin(), keys.rend(), is_it);
    if (found == keys.rend()) return std::nullopt;
    return Named{found->id, found->key.clone(), found->seals};
  }
};

StateKeys::StateKeys() : state_(std::make_unique<State>()) {}
StateKeys::~StateKeys() = default;

Result<void> StateKeys::add(StateKeyId id, Bytes key) { return state_->add(id, key, true); }

Result<void> StateKeys::add_for_opening(StateKeyId id, Bytes key) {
  return state_->add(id, key, false);
}

bool StateKeys::seal_with(StateKeyId id) {
  const std::lock_guard lock(state_->mutex);
  auto& keys = state_->keys;
  const auto chosen = std::ranges::find(keys, id, &State::Named::id);
  if (chosen == keys.end()) return false;
  chosen->seals = true;
  std::rotate(chosen, chosen + 1, keys.end());
  return true;
}

bool StateKeys::remove(StateKeyId id) {
  const std::lock_guard lock(state_->mutex);
  return std::erase_if(state_->keys, [&](const State::Named& key) { return key.id == id; }) != 0;
}

Result<Buffer> StateKeys::seal(Environment& environment, Bytes state, Bytes context) const {
  const auto key = state_->find(std::nullopt);
  if (!key) return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "no key seals"});
  crypto::Library& library = environment.library();
  auto sealer = crypto::AeadSealer::make(library, kStateAead, key->key.bytes());
  if (!sealer) return forward_error(sealer);
  crypto::AeadNonce nonce{};
  if (auto filled = library.random(nonce); !filled) return forward_error(filled);
  const StateHead head = head_of(key->id);
  Buffer sealed(state.size() + kOverhead);
  const auto after_head = std::ranges::copy(head, sealed.begin()).out;
  std::ranges::copy(nonce, after_head);
  const auto done = sealer->seal(nonce, additional_data(head, context), state,
                                 MutableBytes(sealed).subspan(kStateHeadSize + nonce.size()));
  if (!done) return forward_error(done);
  return sealed;
}

Result<SecretBytes> StateKeys::open(Environment& environment, Bytes sealed, Bytes context) const {
  if (sealed.size() < kOverhead || sealed.front() != kStateFormat) {
    return tl::unexpected(Error{Errc::decode_error, {}, 0, "sealed state: of another format"});
  }
  const Bytes head = sealed.first(kStateHeadSize);
  const auto key = state_->find(id_in(head));
  if (!key) return tl::unexpected(Error{Errc::unknown_state_key});
  auto opener = crypto::AeadOpener::make(environment.library(), kStateAead, key->key.bytes());
  if (!opener) return forward_error(opener);
  crypto::AeadNonce nonce{};
  std::ranges::copy(sealed.subspan(kStateHeadSize, nonce.size()), nonce.begin());
  const Bytes ciphertext = sealed.subspan(kStateHeadSize + nonce.size());
  Buffer state(ciphertext.begin(), ciphertext.end());
  if (!opener->open(nonce, additional_data(head, context), state)) {
    return tl::unexpected(Error{Errc::state_not_authentic});
  }
  state.resize(state.size() - crypto::kMaxAeadTagSize);
  return SecretBytes(std::move(state));
}

}  // namespace sluice::dtls
