#include "crypto/routable_id_cipher.h"

#include <algorithm>

#include "crypto/failure.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {
namespace {

constexpr std::byte kHighNibble{0xf0};
constexpr std::byte kLowNibble{0x0f};
constexpr std::size_t kPasses = 4;

bool apply_aes(EVP_CIPHER_CTX* context, MutableBytes block) {
  int size = 0;
  if (EVP_CipherUpdate(context, octets(block), &size, octets(Bytes(block)),
                       static_cast<int>(block.size())) == 1 &&
      static_cast<std::size_t>(size) == block.size()) {
    return true;
  }
  drain_error_queue();
  return false;
}

Result<CipherContextPtr> make_aes(Library& library, bool encrypts, Bytes key) {
  // AES-128-ECB, which also masks the record numbers of this AEAD.
  const EVP_CIPHER* cipher = library.mask_cipher(AeadAlgorithm::aes_128_gcm);
  CipherContextPtr context(EVP_CIPHER_CTX_new());
  if (cipher == nullptr || !context || key.size() != RoutableIdCipher::kKeySize ||
      EVP_CipherInit_ex2(context.get(), cipher, octets(key), nullptr, encrypts ? 1 : 0, nullptr) !=
          1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1) {
    return failure("routable connection ID key");
  }
  return context;
}

}  // namespace

// The two halves of a block. With an odd number of bytes they share the byte in the middle: `left`
// has its high four bits, `right` its low four.
struct RoutableIdCipher::Halves {
  static constexpr std::size_t kMax = (kMaxBlock + 1) / 2;

  explicit Halves(Bytes block) : size((block.size() + 1) / 2), is_odd(block.size() % 2 != 0) {
    std::ranges::copy(block.first(size), left.begin());
    std::ranges::copy(block.last(size), right.begin());
    clear_other_nibbles();
  }
  void clear_other_nibbles() {
    if (!is_odd) return;
    left[size - 1] &= kHighNibble;
    right[0] &= kLowNibble;
  }
  void write(MutableBytes block) const {
    const std::byte middle = left[size - 1] | right[0];
    std::copy_n(left.begin(), size, block.begin());
    std::ranges::copy(Bytes(right).first(size), block.last(size).begin());
    if (is_odd) block[size - 1] = middle;
  }

  std::size_t size;
  bool is_odd;
  std::array<std::byte, kMax> left{};
  std::array<std::byte, kMax> right{};
};

Result<RoutableIdCipher> RoutableIdCipher::make(Library& library, std::size_t size, Bytes key) {
  auto encryption = make_aes(library, true, key);
  if (!encryption) return forward_error(encryption);
  CipherContextPtr decryption;
  if (size == kSinglePass) {
    auto made = make_aes(library, false, key);
    if (!made) return forward_error(made);
    decryption = std::move(*made);
  }
  return RoutableIdCipher(size, std::move(*encryption), std::move(decryption));
}

// One round of the Feistel network, which is its own inverse. Odd passes change the right half.
bool RoutableIdCipher::apply_pass(std::size_t pass, Halves& halves) {
  const bool changes_right = pass % 2 != 0;
  const auto& from = changes_right ? halves.left : halves.right;
  auto& to = changes_right ? halves.right : halves.left;
  AesBlock block{};  // expand(): the half, zeros, the length, the pass
  std::copy_n(from.begin(), halves.size, block.begin());
  block[kSinglePass - 2] = static_cast<std::byte>(size_);
  block[kSinglePass - 1] = static_cast<std::byte>(pass);
  if (!apply_aes(encryption_.get(), block)) return false;
  for (std::size_t i = 0; i < halves.size; ++i) to[i] ^= block[i];
  halves.clear_other_nibbles();
  return true;
}

bool RoutableIdCipher::encrypt(MutableBytes block) {
  if (size_ == kSinglePass) return apply_aes(encryption_.get(), block);
  Halves halves{Bytes(block)};
  for (std::size_t pass = 1; pass <= kPasses; ++pass) {
    if (!apply_pass(pass, halves)) return false;
  }
  halves.write(block);
  return true;
}

bool RoutableIdCipher::decrypt(MutableBytes block) {
  if (size_ == kSinglePass) return apply_aes(decryption_.get(), block);
  Halves halves{Bytes(block)};
  for (std::size_t pass = kPasses; pass >= 1; --pass) {
    if (!apply_pass(pass, halves)) return false;
  }
  halves.write(block);
  return true;
}

}  // namespace sluice::dtls::crypto
