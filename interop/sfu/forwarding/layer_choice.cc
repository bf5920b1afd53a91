#include "sfu/forwarding/layer_choice.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace sluice::interop::sfu {
namespace {

using Rates = std::span<const LayerRate>;

constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

// The order of the layers; those that took the same have that of the offer, where most begin with
// the largest one.
bool is_above(Rates rates, std::size_t layer, std::size_t other) {
  if (rates[layer].peak != rates[other].peak) return rates[layer].peak > rates[other].peak;
  return layer < other;
}

// Those that send, the smallest one first.
std::vector<std::size_t> in_order(Rates rates) {
  std::vector<std::size_t> order;
  for (std::size_t layer = 0; layer < rates.size(); ++layer) {
    if (rates[layer].now > 0) order.push_back(layer);
  }
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return is_above(rates, b, a); });
  return order;
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
  const auto order = in_order(rates);
  if (order.empty()) return asked_.value_or(current.value_or(0));
  const dtls::Duration since_step = now - *step_at_;
  if (is_trial_ && since_step >= kProof) {
    is_trial_ = false;
    wait_ = kFirstWait;
  }
  const std::size_t most = asked_ && rates[*asked_].now > 0 ? *asked_ : order.back();
  if (is_new_wish_ && (!asked_ || most == current)) is_new_wish_ = false;  // there is nothing to do
  if (is_new_wish_ && wishes_.take(1, kMostWishes, now, kWishPeriod)) {
    is_new_wish_ = false;
    return step_up(most, now);
  }
  if (!current || rates[*current].now == 0) return asked_ ? most : order.front();

  const auto place = std::ranges::find(order, *current);
  const auto left = room(others, now);
  const bool is_too_much = loses_ || (falls_ && left && *left < rates[*current].now);
  if (is_too_much && since_step >= kSettling) {
    note_step_down(now);
    const auto fits = std::find_if(
        std::reverse_iterator(place), order.rend(),
        [&](std::size_t layer) { return rates[layer].now <= left.value_or(kNoLimit); });
    return fits != order.rend() ? *fits : order.front();
  }
  const auto next = std::next(place);
  if (next == order.end() || is_above(rates, *next, most)) return *current;
  const bool has_room = left && *left >= rates[*next].now;
  return since_step >= (has_room ? kSettling : wait_) ? step_up(*next, now) : *current;
}

}  // namespace sluice::interop::sfu
