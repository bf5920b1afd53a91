// The keys of a connection, by encrypted epoch.
#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "wire/types.h"

namespace sluice::dtls::record {

// The newest epoch of one direction, and those before it that are still in use. Nearly always there
// is one, and mostly it is cold: then `Keys` are all that is stored. They have a member `epoch`;
// default-constructed ones mean that there is no epoch.
template <class Keys, class... Ciphers>
class Epochs {
 public:
  using Cipher = std::variant<std::monostate, Ciphers...>;  // monostate: cold

  [[nodiscard]] bool empty() const { return newest_.epoch == wire::kPlaintextEpoch; }

  // ---- the newest epoch; not to be called when empty()

  [[nodiscard]] Keys& newest() { return newest_; }
  [[nodiscard]] const Keys& newest() const { return newest_; }
  // Null: cold.
  [[nodiscard]] Cipher* cipher() const {
    const bool is_cold = held_ == nullptr || std::holds_alternative<std::monostate>(held_->cipher);
    return is_cold ? nullptr : &held_->cipher;
  }
  void warm_up(Cipher cipher) { held().cipher = std::move(cipher); }
  void cool() {
    held().cipher = std::monostate();
    release_unused();
  }

  // ---- all of them

  // The newest first.
  template <class Visit>
  void for_each(Visit&& visit) const {
    if (empty()) return;
    for (const Epochs* one = this; one != nullptr; one = one->older()) visit(one->newest_);
  }
  // The epoch of `keys` is later than all epochs that are stored. Without a cipher it is cold.
  void add(Keys keys, Cipher cipher = {}) {
    auto older = empty() ? nullptr : std::make_unique<Epochs>(std::move(*this));
    newest_ = std::move(keys);
    held_ = std::make_unique<Held>(std::move(cipher), std::move(older));
    release_unused();
  }
  void drop_before(wire::Epoch epoch) {
    if (newest_.epoch < epoch) {
      newest_ = Keys();
      held_.reset();
    } else if (older() != nullptr) {
      older()->drop_before(epoch);
      if (older()->empty()) held_->older.reset();
      release_unused();
    }
  }
  // Those up to the newest for which `is_it` holds; null: none.
  template <class IsIt>
  [[nodiscard]] Epochs* find(IsIt&& is_it) {
    Epochs* found = empty() ? nullptr : this;
    while (found != nullptr && !is_it(std::as_const(found->newest_))) found = found->older();
    return found;
  }
  [[nodiscard]] Epochs* find(wire::Epoch epoch) {
    return find([&](const Keys& keys) { return keys.epoch == epoch; });
  }
  template <class IsIt>
  [[nodiscard]] const Epochs* find(IsIt&& is_it) const {
    return const_cast<Epochs*>(this)->find(std::forward<IsIt>(is_it));
  }
  [[nodiscard]] const Epochs* find(wire::Epoch epoch) const {
    return const_cast<Epochs*>(this)->find(epoch);
  }

 private:
  struct Held {
    Held() = default;
    Held(Cipher its_cipher, std::unique_ptr<Epochs> its_older)
        : cipher(std::move(its_cipher)), older(std::move(its_older)) {}
    Cipher cipher;
    std::unique_ptr<Epochs> older;
  };

  [[nodiscard]] Epochs* older() const { return held_ != nullptr ? held_->older.get() : nullptr; }
  Held& held() {
    if (held_ == nullptr) held_ = std::make_unique<Held>();
    return *held_;
  }
  void release_unused() {
    if (cipher() == nullptr && older() == nullptr) held_.reset();
  }

  std::unique_ptr<Held> held_;         // null: nothing but the keys of the newest epoch
  [[no_unique_address]] Keys newest_;  // what follows an Epochs begins in the padding
};

}  // namespace sluice::dtls::record
