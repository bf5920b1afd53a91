#include "record/cbc_protection12.h"

#include <algorithm>
#include <cstring>

#include "crypto/constant_time.h"
#include "crypto/hmac.h"
#include "crypto/library.h"

namespace sluice::dtls::record {
namespace {

using crypto::kAesBlockSize;

// The MAC of the additional data, the IV and the ciphertext. The length in the additional data
// excludes the MAC (RFC 7366 section 3).
Result<crypto::Digest> mac_of(crypto::Library& library, Bytes key,
                              const AdditionalData12& additional_data, Bytes encrypted) {
  auto hmac = crypto::Hmac::with_key(library, HashAlgorithm::sha256, key);
  if (!hmac) return forward_error(hmac);
  return hmac->compute({additional_data.with_length(encrypted.size()), encrypted});
}

}  // namespace

Result<std::unique_ptr<CbcProtection12>> CbcProtection12::make(crypto::Library& library,
                                                               crypto::AesCbc::Direction direction,
                                                               const RecordKeys12& keys) {
  auto cipher = crypto::AesCbc::make(library, direction, keys.key);
  if (!cipher) return forward_error(cipher);
  return std::unique_ptr<CbcProtection12>(
      new CbcProtection12(library, std::move(*cipher), keys.mac_key));
}

std::optional<std::size_t> CbcProtection12::seal(RecordNumber12 /*number*/,
                                                 AdditionalData12 additional_data, Bytes plaintext,
                                                 MutableBytes out) {
  // Each byte of the padding, its length included, is that length (RFC 5246 section 6.2.3.2).
  const std::size_t padding = kAesBlockSize - 1 - plaintext.size() % kAesBlockSize;
  const std::size_t padded = plaintext.size() + padding + 1;
  const std::size_t encrypted = kAesBlockSize + padded;
  if (out.size() < encrypted + kMacSize) return std::nullopt;
  const MutableBytes iv = out.first(kAesBlockSize);
  const MutableBytes blocks = out.subspan(kAesBlockSize, padded);
  if (!plaintext.empty()) std::memmove(blocks.data(), plaintext.data(), plaintext.size());
  std::ranges::fill(blocks.subspan(plaintext.size()), static_cast<std::byte>(padding));
  if (!library_->random(iv) || !cipher_.process(iv, blocks)) return std::nullopt;
  const auto mac =
      mac_of(*library_, std::as_const(mac_key_).bytes(), additional_data, out.first(encrypted));
  if (!mac) return std::nullopt;
  std::ranges::copy(mac->bytes(), out.begin() + static_cast<std::ptrdiff_t>(encrypted));
  return encrypted + kMacSize;
}

std::optional<MutableBytes> CbcProtection12::open(RecordNumber12 /*number*/,
                                                  AdditionalData12 additional_data,
                                                  MutableBytes fragment) {
  if (fragment.size() < 2 * kAesBlockSize + kMacSize) return std::nullopt;
  const MutableBytes encrypted = fragment.first(fragment.size() - kMacSize);
  const MutableBytes blocks = encrypted.subspan(kAesBlockSize);
  if (blocks.size() % kAesBlockSize != 0) return std::nullopt;
  const auto mac = mac_of(*library_, std::as_const(mac_key_).bytes(), additional_data, encrypted);
  if (!mac || !crypto::equal(mac->bytes(), fragment.last(kMacSize))) return std::nullopt;
  if (!cipher_.process(encrypted.first(kAesBlockSize), blocks)) return std::nullopt;
  // The MAC proves that the peer wrote the padding, so this refusal reveals nothing to an attacker.
  const auto padding = std::to_integer<std::size_t>(blocks.back());
  if (padding >= blocks.size()) return std::nullopt;
  const MutableBytes contents = blocks.first(blocks.size() - padding - 1);
  const bool is_padding = std::ranges::all_of(
      blocks.subspan(contents.size()), [&](std::byte byte) { return byte == blocks.back(); });
  return is_padding ? std::optional(contents) : std::nullopt;
}

}  // namespace sluice::dtls::record
