// Which layer of a simulcast a viewer gets.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <sluice/dtls/clock.h>

#include "sfu/rate_budget.h"

namespace sluice::interop::sfu {

// What a layer takes, in bit/s.
struct LayerRate {
  std::uint64_t now = 0;  // 0: it sends nothing
  // The most that it took, which fades slowly (RateMeter): while nothing moves in the picture, a
  // large layer may take less than a small one.
  std::uint64_t peak = 0;
};

// The rule: layers are ordered by the most that they took, and one that sends nothing is not there.
// The offer does not tell their order (RFC 8853 section 5.2).
//
// - A viewer begins with the smallest layer, or with the one that it has asked for. While no layer
//   is known to send anything, it keeps what it has.
// - It goes down to what fits when its estimate (REMB) falls below what its layer takes, or when it
//   loses more than a tenth of the packets, but not before a step up has settled. It goes down at
//   once when its layer ends.
// - It goes up by one layer when the estimate has room for it. The estimate of a receiver can't
//   grow much beyond what it receives, so that the next layer is also tried without room, after a
//   while. If the viewer goes down soon after, the next trial waits twice as long.
// - A wish is done at once, unless the viewer has had kMostWishes within kWishPeriod: each may cost
//   the publisher a key frame. Then the latest wish is done as soon as it may be.
class LayerChoice {
 public:
  // What a step needs until the viewer's reports are about it.
  static constexpr dtls::Duration kSettling = std::chrono::seconds{2};
  // Until a trial: at first, and the most after trials that have failed.
  static constexpr dtls::Duration kFirstWait = std::chrono::seconds{4};
  static constexpr dtls::Duration kLongestWait = std::chrono::seconds{64};
  // A step up that has lasted so long was right.
  static constexpr dtls::Duration kProof = std::chrono::seconds{10};
  // Receivers send an estimate at least once a second; an older one says nothing.
  static constexpr dtls::Duration kEstimateLife = std::chrono::seconds{5};
  // Wishes that are done at once, and how long they last.
  static constexpr std::size_t kMostWishes = 4;
  static constexpr dtls::Duration kWishPeriod = std::chrono::seconds{8};

  // What the viewer has asked for: this layer, and smaller ones where it does not fit. Empty: as
  // much as fits.
  void ask_for(std::optional<std::size_t> layer);
  [[nodiscard]] std::optional<std::size_t> asked() const { return asked_; }
  // With the choice that was made in another process: the wish is not new.
  void go_on(std::optional<std::size_t> asked, dtls::Instant now) {
    asked_ = asked;
    step_at_ = now;
  }
  // Of all that the viewer receives, in bit/s.
  void on_estimate(std::uint64_t bits_per_second, dtls::Instant now);
  // Of 256, since the report before.
  void on_loss(std::uint8_t fraction_lost) { loses_ = fraction_lost > kMostLost; }

  // The layer that the viewer is to get. `rates`: of each layer, 1 or more of them. `current`: what
  // it gets; empty: nothing. `others`: what its other streams take, in bit/s.
  std::size_t choose(std::span<const LayerRate> rates, std::optional<std::size_t> current,
                     std::uint64_t others, dtls::Instant now);

 private:
  static constexpr std::uint8_t kMostLost = 256 / 10;

  // What the estimate leaves for the layer; empty: it says nothing.
  [[nodiscard]] std::optional<std::uint64_t> room(std::uint64_t others, dtls::Instant now) const;
  std::size_t step_up(std::size_t layer, dtls::Instant now);
  void note_step_down(dtls::Instant now);

  std::optional<std::size_t> asked_ = {};
  bool is_new_wish_ = false;
  RateBudget wishes_ = {};
  std::optional<std::uint64_t> estimate_ = {};
  dtls::Instant estimated_at_{};
  bool falls_ = false;  // the estimate
  bool loses_ = false;
  dtls::Duration wait_ = kFirstWait;
  std::optional<dtls::Instant> step_at_ = {};  // the last one, or the beginning
  bool is_trial_ = false;                      // it was one up and is not proven
};

}  // namespace sluice::interop::sfu
