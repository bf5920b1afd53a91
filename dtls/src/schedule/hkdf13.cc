#include "schedule/hkdf13.h"

#include <algorithm>
#include <array>

namespace sluice::dtls::schedule {
namespace {

// DTLS has no space after the prefix, unlike "tls13 " (RFC 9147 section 5.9).
constexpr std::string_view kPrefix = "dtls13";

// struct HkdfLabel: the output's length, the label, the context.
class HkdfLabel {
 public:
  HkdfLabel(std::size_t length, std::string_view label, Bytes context) {
    put8(length >> 8);
    put8(length & 0xff);
    put8(kPrefix.size() + label.size());
    put(std::as_bytes(std::span(kPrefix)));
    put(std::as_bytes(std::span(label)));
    put8(context.size());
    put(context);
  }
  [[nodiscard]] Bytes bytes() const { return {bytes_.data(), size_}; }

 private:
  void put8(std::size_t value) { bytes_[size_++] = static_cast<std::byte>(value); }
  void put(Bytes bytes) {
    std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
  }

  // Label and context are vectors of at most 255 bytes each.
  std::array<std::byte, 2 + 1 + 255 + 1 + 255> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace

Result<HashSecret> hkdf_extract(crypto::Library& library, HashAlgorithm hash, Bytes salt,
                                Bytes input) {
  static constexpr std::array<std::byte, crypto::kMaxHashSize> kZeros{};
  const Bytes zeros = Bytes(kZeros).first(crypto::hash_size(hash));
  auto hmac = crypto::Hmac::with_key(library, hash, salt.empty() ? zeros : salt);
  if (!hmac) return forward_error(hmac);
  auto value = hmac->compute({input.empty() ? zeros : input});
  if (!value) return forward_error(value);
  HashSecret secret(std::as_const(*value).bytes());
  cleanse(value->bytes());
  return secret;
}

Result<HkdfExpansion> HkdfExpansion::of(crypto::Library& library, HashAlgorithm hash,
                                        Bytes secret) {
  return crypto::Hmac::with_key(library, hash, secret).map([&](crypto::Hmac hmac) {
    return HkdfExpansion(hash, std::move(hmac));
  });
}

Result<void> HkdfExpansion::expand_label(std::string_view label, Bytes context, MutableBytes out) {
  const HkdfLabel info(out.size(), label, context);
  // T(i) = HMAC(secret, T(i - 1) + info + i); T(0) is empty.
  crypto::Digest block(hash_);
  Bytes previous;
  for (unsigned counter = 1; !out.empty(); ++counter) {
    const std::array number{static_cast<std::byte>(counter)};
    auto next = hmac_.compute({previous, info.bytes(), number});
    if (!next) return forward_error(next);
    block = *next;
    previous = std::as_const(block).bytes();
    const std::size_t size = std::min(out.size(), previous.size());
    std::ranges::copy(previous.first(size), out.begin());
    out = out.subspan(size);
    cleanse(next->bytes());
  }
  cleanse(block.bytes());
  return {};
}

Result<HashSecret> HkdfExpansion::derive_secret(std::string_view label, Bytes transcript_hash) {
  HashSecret derived(crypto::hash_size(hash_));
  return expand_label(label, transcript_hash, derived.bytes()).map([&] {
    return std::move(derived);
  });
}

Result<void> hkdf_expand_label(crypto::Library& library, HashAlgorithm hash, Bytes secret,
                               std::string_view label, Bytes context, MutableBytes out) {
  auto expansion = HkdfExpansion::of(library, hash, secret);
  if (!expansion) return forward_error(expansion);
  return expansion->expand_label(label, context, out);
}

Result<HashSecret> derive_secret(crypto::Library& library, HashAlgorithm hash, Bytes secret,
                                 std::string_view label, Bytes transcript_hash) {
  auto expansion = HkdfExpansion::of(library, hash, secret);
  if (!expansion) return forward_error(expansion);
  return expansion->derive_secret(label, transcript_hash);
}

}  // namespace sluice::dtls::schedule
