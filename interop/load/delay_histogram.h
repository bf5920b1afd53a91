// How often which delay occurred, in bounded memory.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <sluice/dtls/clock.h>

namespace sluice::interop::load {

// Buckets whose width grows with the delay, as those of HdrHistogram: each octave has kSteps of
// them, so that a percentile is at most 1/32 too high. Delays above a minute count as a minute.
class DelayHistogram {
 public:
  // Below 0: the clocks of sender and receiver differ. Counts as 0.
  void add(dtls::Duration delay) {
    const auto count = std::clamp<std::int64_t>(delay.count(), 0, kMost);
    ++counts_[index_of(static_cast<std::uint64_t>(count))];
    ++total_;
    most_ = std::max(most_, dtls::Duration(count));
  }
  void add(const DelayHistogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    most_ = std::max(most_, other.most_);
  }

  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] dtls::Duration most() const { return most_; }
  // The delay that this part of all, such as 0.99, did not exceed. 0 where there is none.
  [[nodiscard]] dtls::Duration percentile(double part) const {
    const double wanted = part * static_cast<double>(total_);
    double below = 0;
    for (std::size_t i = 0; i < counts_.size() && total_ > 0; ++i) {
      below += static_cast<double>(counts_[i]);
      if (below >= wanted) return std::min(most_, end_of(i));
    }
    return most_;
  }

 private:
  static constexpr std::int64_t kMost = 60'000'000;
  static constexpr unsigned kStepBits = 5;
  static constexpr std::uint64_t kSteps = 1U << kStepBits;
  // As many as index_of(kMost) needs, in whole octaves.
  static constexpr std::size_t kBuckets =
      (std::bit_width(static_cast<std::uint64_t>(kMost)) - kStepBits + 1) * kSteps;
  // Up to 2 * kSteps us each has a bucket; from there on each octave has kSteps.
  static constexpr std::size_t index_of(std::uint64_t microseconds) {
    if (microseconds < 2 * kSteps) return microseconds;
    const auto shift = static_cast<unsigned>(std::bit_width(microseconds)) - kStepBits - 1;
    return shift * kSteps + (microseconds >> shift);
  }
  // The largest delay of the bucket.
  static constexpr dtls::Duration end_of(std::size_t index) {
    if (index < 2 * kSteps) return dtls::Duration(static_cast<std::int64_t>(index));
    const auto shift = index / kSteps - 1;
    const auto step = index % kSteps + kSteps;
    return dtls::Duration(static_cast<std::int64_t>(((step + 1) << shift) - 1));
  }

  std::array<std::uint64_t, kBuckets> counts_ = {};
  std::uint64_t total_ = 0;
  dtls::Duration most_{};
};

}  // namespace sluice::interop::load
