// File descriptors with an owner.
#pragma once

#include <utility>

namespace sluice::udp {

// Closes its descriptor at the end. Move-only.
class Descriptor {
 public:
  Descriptor() = default;
  // Takes over an open descriptor. Negative, as a failed system call returns it: none.
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, kNone)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  // Negative: there is none.
  [[nodiscard]] int number() const { return number_; }

 private:
  static constexpr int kNone = -1;
  int number_ = kNone;
};

}  // namespace sluice::udp
