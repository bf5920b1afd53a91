// The keys of a connection, by encrypted epoch.
#pragma once

#include <memory>
#include <utility>

#include "wire/types.h"

namespace sluice::dtls::record {

// Nearly always there is one epoch, which is stored in the object itself; older ones are allocated.
// `Keys` has a member `epoch`. Default-constructed Keys mean that there is no epoch.
template <class Keys>
class Epochs {
 public:
  [[nodiscard]] bool empty() const { return newest_.epoch == wire::kPlaintextEpoch; }

  // The epoch of `keys` is later than all epochs that are stored.
  void add(Keys keys) {
    if (!empty()) older_ = std::make_unique<Older>(std::move(newest_), std::move(older_));
    newest_ = std::move(keys);
  }
  void drop_before(wire::Epoch epoch) {
    if (newest_.epoch < epoch) newest_ = Keys();
    std::unique_ptr<Older>* next = &older_;
    while (*next != nullptr && (*next)->keys.epoch >= epoch) next = &(*next)->before;
    next->reset();
  }

  // Not to be called when empty().
  [[nodiscard]] Keys& newest() { return newest_; }
  [[nodiscard]] const Keys& newest() const { return newest_; }

  // The newest for which `is_it` holds; null: none.
  template <class IsIt>
  [[nodiscard]] Keys* find(IsIt&& is_it) {
    if (empty()) return nullptr;
    if (is_it(newest_)) return &newest_;
    for (Older* older = older_.get(); older != nullptr; older = older->before.get()) {
      if (is_it(older->keys)) return &older->keys;
    }
    return nullptr;
  }
  [[nodiscard]] Keys* find(wire::Epoch epoch) {
    return find([&](const Keys& keys) { return keys.epoch == epoch; });
  }
  template <class IsIt>
  [[nodiscard]] const Keys* find(IsIt&& is_it) const {
    return const_cast<Epochs*>(this)->find(std::forward<IsIt>(is_it));
  }
  [[nodiscard]] const Keys* find(wire::Epoch epoch) const {
    return const_cast<Epochs*>(this)->find(epoch);
  }

 private:
  struct Older {
    Older(Keys its_keys, std::unique_ptr<Older> its_before)
        : keys(std::move(its_keys)), before(std::move(its_before)) {}
    Keys keys;
    std::unique_ptr<Older> before;
  };

  Keys newest_;
  std::unique_ptr<Older> older_;
};

}  // namespace sluice::dtls::record
