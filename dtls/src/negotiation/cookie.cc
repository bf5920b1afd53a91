#include "negotiation/cookie.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/constant_time.h"
#include "crypto/hmac.h"
#include "crypto/library.h"
#include "wire/reader.h"
#include "wire/types.h"

namespace sluice::dtls::handshake {
namespace {

// Of content and address, whose sizes have one byte each in the MAC's input.
constexpr std::size_t kMaxSize = 255;

// The generation in a cookie. One byte is enough, as only the present generation and the one before
// it are valid.
std::byte mark_of(std::uint64_t generation) { return static_cast<std::byte>(generation & 0xff); }

constexpr std::size_t kMarksSize = 1 + CookieJar::kNumberSize;

// An exported secret: format, lifetime, start, offset, master secret.
constexpr std::uint8_t kSecretFormat = 1;
constexpr std::size_t kSecretSize = 1 + 8 + 8 + 4 + 32;

}  // namespace

Result<CookieJar> CookieJar::make(crypto::Library& library, Duration lifetime) {
  CookieJar jar(lifetime);
  auto done = library.random(jar.master_.bytes());
  if (done) done = jar.derive_keys(library);
  std::array<std::byte, sizeof jar.offset_> offset{};
  if (done) done = library.random(offset);
  if (!done) return forward_error(done);
  jar.offset_ = wire::Reader(offset).u32();
  return jar;
}

Result<CookieJar::Key> CookieJar::derive(crypto::Library& library, std::uint64_t generation) const {
  auto hmac = crypto::Hmac::with_key(library, HashAlgorithm::sha256, master_.bytes());
  if (!hmac) return forward_error(hmac);
  std::array<std::byte, sizeof generation> number{};
  wire::store(number, generation);
  return hmac->compute({number}).map(
      [](const crypto::Digest& digest) { return Key(digest.bytes()); });
}

Result<void> CookieJar::derive_keys(crypto::Library& library) {
  auto current = derive(library, generation_);
  if (!current) return forward_error(current);
  auto previous = derive(library, generation_ - 1);
  if (!previous) return forward_error(previous);
  current_ = std::move(*current);
  previous_ = std::move(*previous);
  return {};
}

Result<SecretBytes> CookieJar::export_secret(crypto::Library& library, Instant now) {
  if (auto done = advance(library, now); !done) return forward_error(done);
  Buffer bytes;
  bytes.reserve(kSecretSize);
  wire::Writer out(bytes, wire::Growth::refused);
  out.u8(kSecretFormat);
  out.u64(static_cast<std::uint64_t>(lifetime_.count()));
  out.u64(static_cast<std::uint64_t>(start_->time_since_epoch().count()));
  out.u32(offset_);
  out.bytes(master_.bytes());
  return SecretBytes(std::move(bytes));
}

Result<void> CookieJar::import_secret(crypto::Library& library, Bytes secret, Instant now) {
  wire::Reader reader(secret);
  const bool is_format = reader.u8() == kSecretFormat;
  CookieJar jar(Duration(static_cast<std::int64_t>(reader.u64())));
  jar.start_ = Instant(Duration(static_cast<std::int64_t>(reader.u64())));
  jar.offset_ = reader.u32();
  jar.master_ = Key(reader.bytes(Key::capacity()));
  if (!is_format || !reader.complete()) {
    return tl::unexpected(Error{Errc::decode_error, {}, 0, "cookie secret: of another format"});
  }
  if (jar.lifetime_ != lifetime_) {
    return tl::unexpected(Error{Errc::decode_error, {}, 0, "cookie secret: of another lifetime"});
  }
  auto done = jar.derive_keys(library);
  if (done) done = jar.advance(library, now);
  if (!done) return done;
  *this = std::move(jar);
  return {};
}

Result<void> CookieJar::advance(crypto::Library& library, Instant now) {
  if (!start_) start_ = now;
  // The clocks of those who share a secret differ a little.
  const Duration since = std::max(saturating_difference(now, *start_), Duration::zero());
  milliseconds_ = static_cast<std::uint64_t>(since / std::chrono::milliseconds{1});
  const auto generation = static_cast<std::uint64_t>(since / lifetime_);
  if (generation == generation_) return {};
  const std::uint64_t before = std::exchange(generation_, generation);
  auto done = derive_keys(library);
  if (!done) generation_ = before;
  return done;
}

Result<crypto::Digest> CookieJar::mac(crypto::Library& library, const Key& key, Bytes marks,
                                      Bytes content, const CookieBinding& binding) {
  if (content.size() > kMaxSize || binding.address.size() > kMaxSize) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "cookie"});
  }
  auto hmac = crypto::Hmac::with_key(library, HashAlgorithm::sha256, key.bytes());
  if (!hmac) return forward_error(hmac);
  // The sizes come first, so that different bindings give different bytes.
  std::array<std::byte, 4> sizes{};
  wire::store(MutableBytes(sizes).first(2), wire::value_of(binding.version));
  sizes[2] = static_cast<std::byte>(content.size());
  sizes[3] = static_cast<std::byte>(binding.address.size());
  return hmac->compute({marks, sizes, content, binding.address, binding.repeated});
}

const CookieJar::Key* CookieJar::key_of(std::byte generation) const {
  if (generation == mark_of(generation_)) return &current_;
  if (generation == mark_of(generation_ - 1)) return &previous_;
  return nullptr;
}

Result<void> CookieJar::put(crypto::Library& library, wire::Writer& out, Bytes content,
                            const CookieBinding& binding) {
  last_number_ = std::max(last_number_ + 1, milliseconds_);
  std::array<std::byte, kMarksSize> marks{mark_of(generation_)};
  wire::store(MutableBytes(marks).subspan(1), static_cast<std::uint32_t>(last_number_ + offset_));
  const auto tag = mac(library, current_, marks, content, binding);
  if (!tag) return forward_error(tag);
  out.bytes(marks);
  out.bytes(content);
  out.bytes(tag->bytes().first(kTagSize));
  return {};
}

std::optional<Bytes> CookieJar::claimed_content(Bytes cookie) {
  if (cookie.size() < kOverhead || cookie.size() > kOverhead + kMaxSize) return std::nullopt;
  return cookie.subspan(kMarksSize, cookie.size() - kOverhead);
}

bool CookieJar::needs_mac(Bytes cookie) const {
  return claimed_content(cookie) && key_of(cookie.front()) != nullptr;
}

Result<std::optional<OpenedCookie>> CookieJar::open(crypto::Library& library, Bytes cookie,
                                                    const CookieBinding& binding) const {
  const auto content = claimed_content(cookie);
  const Key* key = content ? key_of(cookie.front()) : nullptr;
  if (key == nullptr) return std::nullopt;
  const Bytes marks = cookie.first(kMarksSize);
  const auto tag = mac(library, *key, marks, *content, binding);
  if (!tag) return forward_error(tag);
  if (!crypto::equal(tag->bytes().first(kTagSize), cookie.last(kTagSize))) return std::nullopt;
  return OpenedCookie{wire::Reader(marks.subspan(1)).code<CookieNumber>(), *content};
}

}  // namespace sluice::dtls::handshake
