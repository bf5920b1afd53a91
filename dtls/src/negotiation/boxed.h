// A value that is mostly its default, in place of which one pointer is kept.
#pragma once

#include <memory>

namespace sluice::dtls::handshake {

// Copies deeply, so that a type with such a member is copied member by member.
template <class T>
class Boxed {
 public:
  Boxed() = default;
  Boxed(const Boxed& other)
      : value_(other.value_ != nullptr ? std::make_unique<T>(*other.value_) : nullptr) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(const Boxed& other) {
    *this = Boxed(other);
    return *this;
  }
  Boxed& operator=(Boxed&&) noexcept = default;
  ~Boxed() = default;

  const T& operator*() const {
    static const T kDefault{};
    return value_ != nullptr ? *value_ : kDefault;
  }
  const T* operator->() const { return &**this; }

  // Whether the value was allocated.
  [[nodiscard]] bool has_value() const { return value_ != nullptr; }
  // Allocates the value, so that it can be changed.
  T& edit() {
    if (value_ == nullptr) value_ = std::make_unique<T>();
    return *value_;
  }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace sluice::dtls::handshake
