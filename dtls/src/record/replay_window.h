// Anti-replay (RFC 6347 section 4.1.2.6).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include <sluice/dtls/bytes.h>

#include "wire/types.h"

namespace sluice::dtls::record {

// Records which of the newest record numbers have been received. Call is_fresh() before a record is
// opened, and mark() only after it was authenticated.
class ReplayWindow {
 public:
  // RFC 6347 requires at least 32, and most implementations have 64. A burst of data over several
  // paths may be reordered further.
  static constexpr std::size_t kDefaultSize = 128;
  // Sizes are multiples of this.
  static constexpr std::size_t kUnit = 64;

  explicit ReplayWindow(std::size_t size = kDefaultSize);
  ReplayWindow(ReplayWindow&& other) noexcept;
  ReplayWindow& operator=(ReplayWindow&& other) noexcept;
  ReplayWindow(const ReplayWindow&) = delete;
  ReplayWindow& operator=(const ReplayWindow&) = delete;
  ~ReplayWindow();

  [[nodiscard]] bool is_fresh(wire::SequenceNumber sequence) const {
    const std::uint64_t number = wire::value_of(sequence);
    if (number >= end_) return true;
    return end_ - 1 - number < size() && (words()[word_of(number)] & bit_of(number)) == 0;
  }

  // One above the highest number received, which is the number expected next.
  [[nodiscard]] std::uint64_t next() const { return end_; }

  void mark(wire::SequenceNumber sequence) {
    const std::uint64_t number = wire::value_of(sequence);
    if (number != end_) return mark_out_of_order(number);
    words()[word_of(number)] |= bit_of(number);
    end_ = (number + 1) & 0xf'ffff'ffff'ffff;  // the mask tells the compiler the range
  }

  // ---- windows that move

  // Which of the numbers before next() were received, the newest first: bit i % 8 of byte i / 8 is
  // set for the number next() - 1 - i. Numbers beyond the last byte count as received, so the last
  // byte is never 0xff.
  [[nodiscard]] Buffer received() const;
  // Whether received() can be `received` when next() is `next`.
  static bool is_sound(std::uint64_t next, Bytes received);
  // Continues another window, which may have another size. Both must be sound.
  void restore(std::uint64_t next, Bytes received);

 private:
  void mark_out_of_order(std::uint64_t number);

  // Larger windows are allocated, so that windows of the default size take no more memory.
  static constexpr std::size_t kNearWords = kDefaultSize / kUnit;

  [[nodiscard]] std::uint64_t size() const { return std::uint64_t{word_count_} * kUnit; }
  [[nodiscard]] bool is_near() const { return word_count_ <= kNearWords; }
  [[nodiscard]] std::span<std::uint64_t> words() {
    return {is_near() ? storage_.near.data() : storage_.far.get(), word_count_};
  }
  [[nodiscard]] std::span<const std::uint64_t> words() const {
    return {is_near() ? storage_.near.data() : storage_.far.get(), word_count_};
  }
  // A ring buffer: a number shares its bit with the number that is larger by size().
  [[nodiscard]] std::size_t word_of(std::uint64_t number) const {
    // Usual sizes are powers of two, which need no division.
    const std::uint64_t mask = word_count_ - 1U;
    return (word_count_ & mask) == 0 ? number / kUnit & mask : number / kUnit % word_count_;
  }
  static std::uint64_t bit_of(std::uint64_t number) { return std::uint64_t{1} << number % kUnit; }

  union Storage {
    Storage() : near{} {}
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;
    ~Storage() {}  // ReplayWindow destroys the active member
    std::array<std::uint64_t, kNearWords> near;
    std::unique_ptr<std::uint64_t[]> far;
  };

  std::uint64_t end_ : 52 = 0;  // one above the highest number received, which has 48 bits
  std::uint64_t word_count_ : 12;
  Storage storage_;
};

}  // namespace sluice::dtls::record
