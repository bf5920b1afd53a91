#include "sfu/forwarding/layer_choice.h"

#include <algorithm>
#include <utility>

namespace sluice::interop::sfu {
namespace {

using Rates = std::span<const std::uint64_t>;

constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

// Of the layers that send, and that take no more than `most`: the one that takes most. Else the
// smallest of those that send, else the first.
std::size_t largest_within(Rates rates, std::uint64_t most) {
  std::optional<std::size_t> best;
  const auto is_better = [&](std::size_t layer) {
    if (!best) return true;
    const bool fits = rates[layer] <= most;
    const bool best_fits = rates[*best] <= most;
    return fits != best_fits ? fits : fits == (rates[layer] > rates[*best]);
  };
  for (std::size_t layer = 0; layer < rates.size(); ++layer) {
    if (rates[layer] > 0 && is_better(layer)) best = layer;
  }
  return best.value_or(0);
}

// The smallest one above `rate`.
std::optional<std::size_t> next_above(Rates rates, std::uint64_t rate) {
  std::optional<std::size_t> next;
  for (std::size_t layer = 0; layer < rates.size(); ++layer) {
    if (rates[layer] > rate && (!next || rates[layer] < rates[*next])) next = layer;
  }
  return next;
}

}  // namespace

void LayerChoice::ask_for(std::optional<std::size_t> layer) {
  asked_ = layer;
  is_new_wish_ = true;
}

void LayerChoice::on_estimate(std::uint64_t bits_per_second, dtls::Instant now) {
  falls_ = estimate_ && bits_per_second < *estimate_;
  estimate_ = bits_per_second;
  estimated_at_ = now;
}

std::optional<std::uint64_t> LayerChoice::room(std::uint64_t others, dtls::Instant now) const {
  if (!estimate_ || now - estimated_at_ > kEstimateLife) return std::nullopt;
  return *estimate_ > others ? *estimate_ - others : 0;
}

std::size_t LayerChoice::step_up(std::size_t layer, dtls::Instant now) {
  step_at_ = now;
  is_trial_ = true;
  return layer;
}

void LayerChoice::note_step_down(dtls::Instant now) {
  if (std::exchange(is_trial_, false)) wait_ = std::min(2 * wait_, kLongestWait);
  step_at_ = now;
  falls_ = loses_ = false;  // said of the layer before
}

std::size_t LayerChoice::choose(Rates rates, std::optional<std::size_t> current,
                                std::uint64_t others, dtls::Instant now) {
  if (!step_at_) step_at_ = now;
  const bool is_known = std::ranges::any_of(rates, [](std::uint64_t rate) { return rate > 0; });
  if (!is_known) return asked_.value_or(current.value_or(0));
  const dtls::Duration since_step = now - *step_at_;
  if (is_trial_ && since_step >= kProof) {
    is_trial_ = false;
    wait_ = kFirstWait;
  }
  const std::uint64_t most = asked_ && rates[*asked_] > 0 ? rates[*asked_] : kNoLimit;
  if (std::exchange(is_new_wish_, false) && asked_)
    return step_up(largest_within(rates, most), now);
  if (!current || rates[*current] == 0) return largest_within(rates, asked_ ? most : 0);

  const std::uint64_t taken = rates[*current];
  const auto left = room(others, now);
  const bool is_too_much = loses_ || (falls_ && left && *left < taken);
  if (is_too_much && since_step >= kSettling) {
    note_step_down(now);
    return largest_within(rates, std::min(taken - 1, left.value_or(kNoLimit)));
  }
  const auto next = next_above(rates, taken);
  if (!next || rates[*next] > most) return *current;
  const bool has_room = left && *left >= rates[*next];
  return since_step >= (has_room ? kSettling : wait_) ? step_up(*next, now) : *current;
}

}  // namespace sluice::interop::sfu
