#include <sluice/dtls/resumption.h>

#include <sluice/dtls/secret.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "crypto/aead.h"
#include "crypto/library.h"

namespace sluice::dtls {
namespace {

using crypto::AeadAlgorithm;

constexpr AeadAlgorithm kAead = AeadAlgorithm::aes_256_gcm;
constexpr std::size_t kNameSize = 16;  // RFC 5077 section 4
using Name = std::array<std::byte, kNameSize>;

// A ticket consists of the key's name, the nonce, the sealed session and the tag.
constexpr std::size_t kOverhead = kNameSize + crypto::kAeadNonceSize + crypto::kMaxAeadTagSize;

crypto::AeadNonce nonce_of(std::uint64_t number) {
  crypto::AeadNonce nonce{};
  for (std::size_t i = 0; i < sizeof number; ++i, number >>= 8) {
    nonce[nonce.size() - 1 - i] = static_cast<std::byte>(number);
  }
  return nonce;
}

}  // namespace

struct TicketKeys::State {
  struct Key {
    Name name{};
    Secret<crypto::kMaxAeadKeySize> key{key_size(kAead)};
    Instant made{};
    std::uint64_t sealed = 0;  // tickets; also the nonce, so no nonce repeats

    static Result<Key> generate(crypto::Library& library, Instant now) {
      Key fresh;
      fresh.made = now;
      auto done = library.random(fresh.name);
      if (done) done = library.random(fresh.key.bytes());
      if (!done) return forward_error(done);
      return fresh;
    }
    [[nodiscard]] Key clone() const { return {name, key.clone(), made, sealed}; }
  };

  const Duration rotation;
  std::mutex mutex = {};
  std::optional<Key> current = {};
  std::optional<Key> previous = {};

  // Returns the key for the next ticket and counts that ticket as sealed.
  Result<Key> take(crypto::Library& library, Instant now) {
    const std::lock_guard lock(mutex);
    if (!current || is_due(*current, now)) {
      auto fresh = Key::generate(library, now);
      if (!fresh) return fresh;
      previous = std::exchange(current, std::move(*fresh));
    }
    Key key = current->clone();
    ++current->sealed;
    return key;
  }
  struct Found {
    Key key;
    bool is_old;
  };
  // The key with this name, if its tickets are still accepted.
  std::optional<Found> find(Bytes name, Instant now) {
    const std::lock_guard lock(mutex);
    for (const auto* key : {&current, &previous}) {
      if (*key && std::ranges::equal((*key)->name, name) && is_alive(**key, now)) {
        return Found{(*key)->clone(), key == &previous || is_due(**key, now)};
      }
    }
    return std::nullopt;
  }
  // Whether a new key must seal the next ticket.
  [[nodiscard]] bool is_due(const Key& key, Instant now) const {
    return saturating_difference(now, key.made) >= rotation;
  }
  // For two rotations; halved, because twice the longest Duration would overflow.
  [[nodiscard]] bool is_alive(const Key& key, Instant now) const {
    return saturating_difference(now, key.made) / 2 < rotation;
  }
};

TicketKeys::TicketKeys(Duration rotation) : state_(new State{rotation}) {}
TicketKeys::~TicketKeys() = default;

Duration TicketKeys::rotation() const { return state_->rotation; }

Result<Buffer> TicketKeys::seal(crypto::Library& library, Bytes session, Instant now) {
  const auto key = state_->take(library, now);
  if (!key) return forward_error(key);
  auto sealer = crypto::AeadSealer::make(library, kAead, key->key.bytes());
  if (!sealer) return forward_error(sealer);
  const auto nonce = nonce_of(key->sealed);
  Buffer ticket(session.size() + kOverhead);
  const auto after_name = std::ranges::copy(key->name, ticket.begin()).out;
  std::ranges::copy(nonce, after_name);
  const auto sealed = sealer->seal(nonce, key->name, session,
                                   MutableBytes(ticket).subspan(kNameSize + nonce.size()));
  if (!sealed) return forward_error(sealed);
  return ticket;
}

Result<TicketKeys::Opened> TicketKeys::open(crypto::Library& library, Bytes ticket, Instant now) {
  if (ticket.size() <= kOverhead) return Opened{};
  const Bytes name = ticket.first(kNameSize);
  const auto found = state_->find(name, now);
  if (!found) return Opened{};
  auto opener = crypto::AeadOpener::make(library, kAead, found->key.key.bytes());
  if (!opener) return forward_error(opener);
  crypto::AeadNonce nonce{};
  std::ranges::copy(ticket.subspan(kNameSize, nonce.size()), nonce.begin());
  const Bytes sealed = ticket.subspan(kNameSize + nonce.size());
  Buffer session(sealed.begin(), sealed.end());
  if (!opener->open(nonce, name, session)) return Opened{};
  session.resize(session.size() - crypto::kMaxAeadTagSize);
  return Opened{std::move(session), found->is_old};
}

}  // namespace sluice::dtls
