// How much a stream sends.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <sluice/dtls/clock.h>

namespace sluice::interop::sfu {

// Bits in a second, measured over whole seconds.
class RateMeter {
 public:
  RateMeter() = default;
  // Goes on from a rate that was measured before, as of now.
  RateMeter(std::uint64_t rate, dtls::Instant now) : began_(now), rate_(rate) {}

  void add(std::size_t bytes, dtls::Instant now) {
    if (now - began_ >= kWindow) {
      const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
      // After a pause the rate is that of a beginning: unknown.
      rate_ =
          elapsed < 2 * kWindow ? bits_ * 1000 / static_cast<std::uint64_t>(elapsed.count()) : 0;
      began_ = now;
      bits_ = 0;
    }
    bits_ += 8 * bytes;
  }
  // Of the last whole second; 0: it has not sent for so long.
  [[nodiscard]] std::uint64_t bits_per_second(dtls::Instant now) const {
    return now - began_ < 2 * kWindow ? rate_ : 0;
  }
  // It sends, and the first second since its beginning or a pause is not over.
  [[nodiscard]] bool is_beginning(dtls::Instant now) const {
    return rate_ == 0 && now - began_ < 2 * kWindow;
  }

 private:
  static constexpr std::chrono::seconds kWindow{1};

  dtls::Instant began_{};
  std::uint64_t bits_ = 0;
  std::uint64_t rate_ = 0;
};

}  // namespace sluice::interop::sfu
