// Secret bytes that are wiped when they are destroyed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls {

// Overwrites `secret` with zeros; the compiler cannot optimise this away.
void cleanse(MutableBytes secret);

namespace detail {
// The same for a size that is known, which takes a few instructions instead of two calls.
template <std::size_t Size>
void cleanse(std::array<std::byte, Size>& secret) {
#if defined(__GNUC__)
  secret.fill(std::byte{});
  // To the compiler the statement reads the array.
  __asm__ __volatile__("" : : "r"(secret.data()) : "memory");
#else
  dtls::cleanse(secret);
#endif
}
}  // namespace detail

// Up to `Capacity` secret bytes, held in place. Moving wipes the source; clone() copies.
template <std::size_t Capacity>
class Secret {
 public:
  Secret() = default;
  // Zeros, or a copy of `bytes`. Empty when they exceed the capacity: a part of a secret is another
  // secret.
  explicit Secret(std::size_t size) : size_(static_cast<Size>(size <= Capacity ? size : 0)) {}
  explicit Secret(Bytes bytes) : Secret(bytes.size()) {
    std::copy_n(bytes.begin(), size_, bytes_.begin());
  }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_), size_(other.size_) { other.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      size_ = other.size_;
      other.clear();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { clear(); }

  [[nodiscard]] Secret clone() const { return Secret(bytes()); }
  [[nodiscard]] Bytes bytes() const { return {bytes_.data(), size_}; }
  [[nodiscard]] MutableBytes bytes() { return {bytes_.data(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  static constexpr std::size_t capacity() { return Capacity; }
  void clear() {
    if (size_ != 0) detail::cleanse(bytes_);
    size_ = 0;
  }

 private:
  // Many idle sessions hold one: keep it as small as possible.
  using Size = std::conditional_t<Capacity <= UINT8_MAX, std::uint8_t, std::size_t>;

  std::array<std::byte, Capacity> bytes_{};
  Size size_ = 0;
};

// Any number of secret bytes, in memory of their own.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(Buffer bytes) : bytes_(std::move(bytes)) {}
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      cleanse(bytes_);
      bytes_ = std::exchange(other.bytes_, {});
    }
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { cleanse(bytes_); }

  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  Buffer bytes_;
};

}  // namespace sluice::dtls
