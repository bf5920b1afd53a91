#include "ssrc_table.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

namespace sluice::srtp {
namespace {

// h(x) = (a * x + b) mod 2^64, upper half: pairwise independent for 32-bit x (Dietzfelbinger 1996).
struct HashKey {
  std::uint64_t factor;
  std::uint64_t summand;
};

HashKey draw_key() {
  std::random_device random;
  const auto draw = [&random] { return std::uint64_t{random()} << 32 | random(); };
  const auto factor = draw();
  return {.factor = factor, .summand = draw()};
}

}  // namespace

std::size_t SsrcHash::operator()(std::uint32_t ssrc) const {
  static const HashKey kKey = draw_key();
  return (kKey.factor * ssrc + kKey.summand) >> 32;
}

std::optional<std::uint64_t> SsrcState::highest_received(PacketKind kind) const {
  return std::max(kind == PacketKind::rtp ? received.rtp : received.srtcp,
                  received_before(kind).highest());
}

SsrcState* SsrcTable::find_in_index(std::uint32_t ssrc) const {
  const auto found = index_.find(ssrc);
  return found != index_.end() ? found->second : nullptr;
}

void SsrcTable::make_newest(SsrcState& state) {
  by_use_.splice(by_use_.end(), by_use_, state.place);
  newest_ = &state;
}

SsrcState& SsrcTable::add(std::uint32_t ssrc, std::size_t shard) {
  by_use_.push_back({.ssrc = ssrc, .shard = shard, .order = added_++});
  auto& state = by_use_.back();
  state.place = std::prev(by_use_.end());
  newest_ = &state;
  index_.emplace(ssrc, &state);
  return state;
}

void SsrcTable::remove(std::uint32_t ssrc) {
  const auto found = index_.find(ssrc);
  by_use_.erase(found->second->place);
  index_.erase(found);
  newest_ = by_use_.empty() ? nullptr : &by_use_.back();
}

std::vector<SsrcStatistics> SsrcTable::statistics() const {
  std::vector<const SsrcState*> in_order;
  in_order.reserve(by_use_.size());
  for (const auto& state : by_use_) in_order.push_back(&state);
  std::ranges::sort(in_order, {}, &SsrcState::order);
  std::vector<SsrcStatistics> all;
  all.reserve(in_order.size());
  for (const auto* state : in_order) {
    all.push_back(state->counts);
    all.back().ssrc = state->ssrc;
  }
  return all;
}

std::vector<std::uint32_t> SsrcTable::ssrcs() const {
  std::vector<std::uint32_t> ssrcs;
  ssrcs.reserve(by_use_.size());
  for (const auto& each : statistics()) ssrcs.push_back(each.ssrc);
  return ssrcs;
}

}  // namespace sluice::srtp
