#include <sluice/dtls/routable_connection_id.h>

#include <algorithm>

#include "crypto/library.h"
#include "crypto/nonce_counter.h"
#include "crypto/routable_id_cipher.h"

namespace sluice::dtls {
namespace {

using crypto::NonceCounter;
using crypto::RoutableIdCipher;

static_assert(kRoutableKeySize == RoutableIdCipher::kKeySize);
static_assert(kMaxRoutableId == 1 + RoutableIdCipher::kMaxBlock);
static_assert(kMaxRoutableWorkers == 1U << NonceCounter::kWorkerBits);
static_assert(RoutableId::kMaxNonce == NonceCounter::kMaxSize);

constexpr std::size_t kFirstOctet = 1;
constexpr std::size_t kMinRoutableNonce = 4;  // draft, section 5.3
constexpr std::size_t kRoutableKeys = 7;      // 0b111 is reserved: draft, section 3.1
constexpr std::byte kWorkerMask{kMaxRoutableWorkers - 1};

tl::unexpected<Error> invalid(const char* what) {
  return tl::unexpected(Error{Errc::invalid_argument, {}, 0, what});
}

tl::unexpected<Error> not_routable(const char* why) {
  return tl::unexpected(Error{Errc::decode_error, {}, 0, why});
}

std::size_t index_of(RoutableKeyId id) { return static_cast<std::size_t>(id); }

std::size_t key_index_in(std::byte first_octet) {
  return std::to_integer<std::size_t>(first_octet) >> NonceCounter::kWorkerBits;
}

std::size_t nonce_size(const RoutableIdLayout& layout) {
  return layout.size - kFirstOctet - layout.server_size;
}

Result<void> check(const RoutableIdLayout& layout, Bytes key) {
  if (index_of(layout.key_id) >= kRoutableKeys) return invalid("key_id: 0 to 6");
  if (layout.server_size < 1 || layout.server_size > sizeof(std::uint64_t)) {
    return invalid("server_size: 1 to 8");
  }
  if (layout.size > kMaxRoutableId ||
      layout.size < kFirstOctet + layout.server_size + kMinRoutableNonce) {
    return invalid("size: server_size + 5 to 20");
  }
  if (key.size() != kRoutableKeySize) return invalid("key: 16 bytes");
  return {};
}

Result<void> check(const RoutableIdOptions& options, Bytes key) {
  if (auto checked = check(options.layout, key); !checked) return checked;
  const std::size_t bits = 8 * options.layout.server_size;
  if (bits < 64 && options.server >> bits != 0) return invalid("server: exceeds server_size");
  if (options.worker >= kMaxRoutableWorkers) return invalid("worker: 0 to 31");
  return {};
}

}  // namespace

struct RoutableConnectionIds::State {
  Environment& environment;
  RoutableIdOptions options;
  RoutableIdCipher cipher;
  NonceCounter nonces;

  static Result<State> make(Environment& environment, const RoutableIdOptions& options, Bytes key) {
    if (auto checked = check(options, key); !checked) return forward_error(checked);
    crypto::Library& library = environment.library();
    auto cipher = RoutableIdCipher::make(library, options.layout.size - kFirstOctet, key);
    if (!cipher) return forward_error(cipher);
    std::array<std::byte, NonceCounter::kMaxSize> random{};
    const MutableBytes start = MutableBytes(random).first(nonce_size(options.layout));
    if (auto drawn = library.random(start); !drawn) return forward_error(drawn);
    NonceCounter nonces(start, options.worker);
    if (options.max_ids_per_key) nonces.limit(*options.max_ids_per_key);
    return State{environment, options, std::move(*cipher), nonces};
  }
};

Result<std::unique_ptr<RoutableConnectionIds>> RoutableConnectionIds::make(
    Environment& environment, const RoutableIdOptions& options, Bytes key) {
  auto state = State::make(environment, options, key);
  if (!state) return forward_error(state);
  return std::unique_ptr<RoutableConnectionIds>(
      new RoutableConnectionIds(std::make_unique<State>(std::move(*state))));
}

RoutableConnectionIds::RoutableConnectionIds(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
RoutableConnectionIds::~RoutableConnectionIds() = default;

std::size_t RoutableConnectionIds::size() const { return state_->options.layout.size; }

std::uint64_t RoutableConnectionIds::remaining() const { return state_->nonces.remaining(); }

Result<void> RoutableConnectionIds::make(MutableBytes out) {
  const auto& [layout, server, worker, limit] = state_->options;
  const Bytes nonce = state_->nonces.take();
  if (nonce.empty()) return tl::unexpected(Error{Errc::connection_ids_used_up});
  out[0] = static_cast<std::byte>(index_of(layout.key_id) << NonceCounter::kWorkerBits | worker);
  for (std::size_t i = 0; i < layout.server_size; ++i) {
    out[layout.server_size - i] = static_cast<std::byte>(server >> 8 * i);
  }
  std::ranges::copy(nonce, out.last(nonce.size()).begin());
  if (!state_->cipher.encrypt(out.subspan(kFirstOctet))) {
    return tl::unexpected(Error{Errc::libcrypto_failure});
  }
  return {};
}

Result<void> RoutableConnectionIds::change_key(RoutableKeyId key_id, Bytes key) {
  RoutableIdOptions options = state_->options;
  options.layout.key_id = key_id;
  auto fresh = State::make(state_->environment, options, key);
  if (!fresh) return forward_error(fresh);
  state_ = std::make_unique<State>(std::move(*fresh));
  return {};
}

struct RoutableIdDecoder::State {
  struct Key {
    RoutableIdLayout layout;
    RoutableIdCipher cipher;
  };

  Environment& environment;
  std::array<std::optional<Key>, kRoutableKeys> keys = {};

  // Null: there is no such key.
  Key* find(std::byte first_octet) {
    const std::size_t index = key_index_in(first_octet);
    return index < keys.size() && keys[index] ? &*keys[index] : nullptr;
  }
};

RoutableIdDecoder::RoutableIdDecoder(Environment& environment)
    : state_(std::make_unique<State>(State{environment})) {}
RoutableIdDecoder::RoutableIdDecoder(RoutableIdDecoder&&) noexcept = default;
RoutableIdDecoder& RoutableIdDecoder::operator=(RoutableIdDecoder&&) noexcept = default;
RoutableIdDecoder::~RoutableIdDecoder() = default;

Result<void> RoutableIdDecoder::add(const RoutableIdLayout& layout, Bytes key) {
  if (auto checked = check(layout, key); !checked) return checked;
  auto cipher =
      RoutableIdCipher::make(state_->environment.library(), layout.size - kFirstOctet, key);
  if (!cipher) return forward_error(cipher);
  state_->keys[index_of(layout.key_id)] = State::Key{layout, std::move(*cipher)};
  return {};
}

bool RoutableIdDecoder::remove(RoutableKeyId key_id) {
  if (index_of(key_id) >= kRoutableKeys) return false;
  return std::exchange(state_->keys[index_of(key_id)], std::nullopt).has_value();
}

Result<RoutableId> RoutableIdDecoder::decode(Bytes id) {
  State::Key* key = id.empty() ? nullptr : state_->find(id[0]);
  if (key == nullptr) return not_routable("connection ID: of no known key");
  const auto& layout = key->layout;
  if (id.size() != layout.size) return not_routable("connection ID: of another size");
  std::array<std::byte, RoutableIdCipher::kMaxBlock> buffer{};
  const MutableBytes block = MutableBytes(buffer).first(key->cipher.size());
  std::ranges::copy(id.subspan(kFirstOctet), block.begin());
  if (!key->cipher.decrypt(block)) return tl::unexpected(Error{Errc::libcrypto_failure});
  RoutableId decoded;
  decoded.key_id = layout.key_id;
  decoded.worker = std::to_integer<std::uint8_t>(id[0] & kWorkerMask);
  for (const std::byte byte : block.first(layout.server_size)) {
    decoded.server = decoded.server << 8 | std::to_integer<std::uint64_t>(byte);
  }
  decoded.nonce_size = nonce_size(layout);
  std::ranges::copy(block.last(decoded.nonce_size), decoded.nonce_bytes.begin());
  return decoded;
}

Result<RoutableId> RoutableIdDecoder::decode_datagram(Bytes datagram) {
  const auto first = connection_id_in(datagram, kFirstOctet);
  if (!first) return not_routable("datagram: without a connection ID");
  const State::Key* key = state_->find(first->front());
  if (key == nullptr) return not_routable("connection ID: of no known key");
  const auto id = connection_id_in(datagram, key->layout.size);
  if (!id) return not_routable("datagram: shorter than its connection ID");
  return decode(*id);
}

}  // namespace sluice::dtls
