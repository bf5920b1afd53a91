#include <sluice/dtls/resumption.h>

#include <sluice/dtls/environment.h>
#include <sluice/dtls/secret.h>

#include <algorithm>
#include <array>
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

// Of exported keys: the form, and its size for one key.
constexpr std::byte kKeysFormat{1};
constexpr std::size_t kKeySize = kNameSize + crypto::kMaxAeadKeySize + sizeof(std::int64_t);

}  // namespace

struct TicketKeys::State {
  struct Key {
    Name name{};
    Secret<crypto::kMaxAeadKeySize> key{key_size(kAead)};
    Instant made{};
    // Several servers may seal with one key, so the nonce begins with random bytes of this server.
    // The rest counts.
    std::array<std::byte, 8> nonce_prefix{};
    std::uint32_t sealed = 0;

    [[nodiscard]] crypto::AeadNonce nonce() const {
      crypto::AeadNonce nonce{};
      std::ranges::copy(nonce_prefix, nonce.begin());
      for (std::size_t i = 0; i < sizeof sealed; ++i) {
        nonce[nonce.size() - 1 - i] = static_cast<std::byte>(sealed >> 8 * i);
      }
      return nonce;
    }
    Result<void> draw_prefix(crypto::Library& library) { return library.random(nonce_prefix); }

    static Result<Key> generate(crypto::Library& library, Instant now) {
      Key fresh;
      fresh.made = now;
      auto done = library.random(fresh.name);
      if (done) done = library.random(fresh.key.bytes());
      if (done) done = fresh.draw_prefix(library);
      if (!done) return forward_error(done);
      return fresh;
    }
    [[nodiscard]] Key clone() const { return {name, key.clone(), made, nonce_prefix, sealed}; }

    // Name, key, and when it was made, in kKeySize bytes.
    void put(MutableBytes out) const {
      const auto after_name = std::ranges::copy(name, out.begin()).out;
      std::ranges::copy(key.bytes(), after_name);
      auto time = static_cast<std::uint64_t>(made.time_since_epoch().count());
      for (std::size_t i = out.size(); i > out.size() - sizeof time; time >>= 8) {
        out[--i] = static_cast<std::byte>(time & 0xff);
      }
    }
    static Result<Key> take(Bytes bytes, crypto::Library& library) {
      Key taken;
      std::ranges::copy(bytes.first(kNameSize), taken.name.begin());
      taken.key =
          Secret<crypto::kMaxAeadKeySize>(bytes.subspan(kNameSize, crypto::kMaxAeadKeySize));
      std::uint64_t time = 0;
      for (const std::byte byte : bytes.last(sizeof time)) {
        time = time << 8 | std::to_integer<std::uint64_t>(byte);
      }
      taken.made = Instant(Duration(static_cast<std::int64_t>(time)));
      if (auto drawn = taken.draw_prefix(library); !drawn) return forward_error(drawn);
      return taken;
    }
  };

  const Duration rotation;
  std::mutex mutex = {};
  std::optional<Key> current = {};
  std::optional<Key> previous = {};

  // Returns the key for the next ticket and counts that ticket as sealed.
  Result<Key> take(crypto::Library& library, Instant now) {
    const std::lock_guard lock(mutex);
    if (auto renewed = renew(library, now); !renewed) return forward_error(renewed);
    Key key = current->clone();
    if (++current->sealed == 0) {
      if (auto drawn = current->draw_prefix(library); !drawn) return forward_error(drawn);
    }
    return key;
  }
  // Makes a new key if there is none, or the present one is due. Call it with the mutex locked.
  Result<void> renew(crypto::Library& library, Instant now) {
    if (current && !is_due(*current, now)) return {};
    auto fresh = Key::generate(library, now);
    if (!fresh) return forward_error(fresh);
    previous = std::exchange(current, std::move(*fresh));
    return {};
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

std::optional<Instant> TicketKeys::next_rotation() const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->current) return std::nullopt;
  return saturating_add(state_->current->made, state_->rotation);
}

Result<Buffer> TicketKeys::seal(crypto::Library& library, Bytes session, Instant now) {
  const auto key = state_->take(library, now);
  if (!key) return forward_error(key);
  auto sealer = crypto::AeadSealer::make(library, kAead, key->key.bytes());
  if (!sealer) return forward_error(sealer);
  const auto nonce = key->nonce();
  Buffer ticket(session.size() + kOverhead);
  const auto after_name = std::ranges::copy(key->name, ticket.begin()).out;
  std::ranges::copy(nonce, after_name);
  const auto sealed = sealer->seal(nonce, key->name, session,
                                   MutableBytes(ticket).subspan(kNameSize + nonce.size()));
  if (!sealed) return forward_error(sealed);
  return ticket;
}

Result<SecretBytes> TicketKeys::export_keys(Environment& environment, Instant now) {
  const std::lock_guard lock(state_->mutex);
  if (auto renewed = state_->renew(environment.library(), now); !renewed) {
    return forward_error(renewed);
  }
  Buffer bytes(1 + (state_->previous ? 2 : 1) * kKeySize);
  bytes.front() = kKeysFormat;
  state_->current->put(MutableBytes(bytes).subspan(1, kKeySize));
  if (state_->previous) state_->previous->put(MutableBytes(bytes).last(kKeySize));
  return SecretBytes(std::move(bytes));
}

Result<void> TicketKeys::import_keys(Environment& environment, Bytes keys) {
  const bool has_previous = keys.size() == 1 + 2 * kKeySize;
  if ((!has_previous && keys.size() != 1 + kKeySize) || keys.front() != kKeysFormat) {
    return tl::unexpected(Error{Errc::decode_error, {}, 0, "ticket keys: of another format"});
  }
  auto current = State::Key::take(keys.subspan(1, kKeySize), environment.library());
  if (!current) return forward_error(current);
  std::optional<State::Key> previous;
  if (has_previous) {
    auto taken = State::Key::take(keys.last(kKeySize), environment.library());
    if (!taken) return forward_error(taken);
    previous = std::move(*taken);
  }
  const std::lock_guard lock(state_->mutex);
  // The same keys once more: the nonces go on.
  if (state_->current && state_->current->name == current->name) {
    current->nonce_prefix = state_->current->nonce_prefix;
    current->sealed = state_->current->sealed;
  }
  state_->current = std::move(*current);
  state_->previous = std::move(previous);
  return {};
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
