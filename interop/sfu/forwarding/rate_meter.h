// How much a stream sends.
#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <sluice/dtls/clock.h>

namespace sluice::interop::sfu {

// Bits in a second, measured over whole seconds.
class RateMeter {
 public:
  RateMeter() = default;
  // Goes on from a rate that was measured before, as of now.
  RateMeter(std::uint64_t rate, std::uint64_t peak, dtls::Instant now)
      : began_(now), rate_(rate), peak_(peak), peak_at_(now) {}

  void add(std::size_t bytes, dtls::Instant now) {
    if (now - began_ >= kWindow) {
      const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
      // After a pause the rate is that of a beginning: unknown.
      rate_ =
          elapsed < 2 * kWindow ? bits_ * 1000 / static_cast<std::uint64_t>(elapsed.count()) : 0;
      began_ = now;
      bits_ = 0;
      if (rate_ >= peak(now)) {
        peak_ = rate_;
        peak_at_ = now;
      }
    }
    bits_ += 8 * bytes;
  }
  // Of the last whole second; 0: it has not sent for so long.
  [[nodiscard]] std::uint64_t bits_per_second(dtls::Instant now) const {
    return now - began_ < 2 * kWindow ? rate_ : 0;
  }
  // The most that was measured, halved for each kHalfLife since. All peaks fade alike, so that two
  // of them keep their order.
  [[nodiscard]] std::uint64_t peak(dtls::Instant now) const {
    const std::chrono::duration<double> passed = now - peak_at_;
    return static_cast<std::uint64_t>(static_cast<double>(peak_) * std::exp2(-passed / kHalfLife));
  }
  // It sends, and the first second since its beginning or a pause is not over.
  [[nodiscard]] bool is_beginning(dtls::Instant now) const {
    return rate_ == 0 && now - began_ < 2 * kWindow;
  }

 private:
  static constexpr std::chrono::seconds kWindow{1};
  // A shared screen may show the same for half an hour; and a layer that was made smaller by its
  // application counts as that within minutes.
  static constexpr std::chrono::minutes kHalfLife{5};

  dtls::Instant began_{};
  std::uint64_t bits_ = 0;
  std::uint64_t rate_ = 0;
  std::uint64_t peak_ = 0;
  dtls::Instant peak_at_{};
};

}  // namespace sluice::interop::sfu
