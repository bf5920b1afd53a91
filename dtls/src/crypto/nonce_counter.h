// The nonces of a worker's routable connection IDs: none occurs twice.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::crypto {

// The worker's number (5 bits), random bits, and in the lowest bits, up to 63 of them, a counter
// that begins at a random value. A counter repeats after 2^n nonces, random ones after some 2^(n/2)
// (draft-ietf-quic-load-balancers, "Connection ID Entropy").
class NonceCounter {
 public:
  static constexpr std::size_t kMaxSize = 18;
  static constexpr unsigned kWorkerBits = 5;

  // `random`: as many bytes as a nonce has, 1 to kMaxSize.
  NonceCounter(Bytes random, std::uint8_t worker) : size_(random.size()) {
    std::ranges::copy(random, bytes_.begin());
    bytes_[0] = static_cast<std::byte>(worker << (8 - kWorkerBits)) |
                (bytes_[0] & std::byte{0xff >> kWorkerBits});
    counter_bits_ = std::min<std::size_t>(8 * size_ - kWorkerBits, 63);
    remaining_ = std::uint64_t{1} << counter_bits_;
  }

  // Nonces before the first one would occur again.
  [[nodiscard]] std::uint64_t remaining() const { return remaining_; }
  void limit(std::uint64_t nonces) { remaining_ = std::min(remaining_, nonces); }

  // The next nonce; empty when none remains. The bytes are valid until the next call.
  [[nodiscard]] Bytes take() {
    if (remaining_ == 0) return {};
    --remaining_;
    const MutableBytes low = MutableBytes(bytes_).first(size_).last(std::min(size_, kCounterBytes));
    std::uint64_t value = 0;
    for (const std::byte byte : low) value = value << 8 | std::to_integer<std::uint64_t>(byte);
    const std::uint64_t mask = (std::uint64_t{1} << counter_bits_) - 1;
    value = (value & ~mask) | ((value + 1) & mask);
    for (std::size_t i = low.size(); i > 0; value >>= 8) low[--i] = static_cast<std::byte>(value);
    return Bytes(bytes_).first(size_);
  }

 private:
  static constexpr std::size_t kCounterBytes = 8;

  std::size_t size_;
  std::size_t counter_bits_ = 0;
  std::uint64_t remaining_ = 0;
  std::array<std::byte, kMaxSize> bytes_{};
};

}  // namespace sluice::dtls::crypto
