// A PacketResult on its way through a session.
#pragma once

#include <cstddef>
#include <cstdint>

#include <sluice/srtp/session.h>

namespace sluice::srtp {

// As PacketResult, in one register: an expected is handed on through memory by each function that a
// packet passes.
class Outcome {
 public:
  Outcome(std::size_t size)  // NOLINT(google-explicit-constructor)
      : value_(static_cast<std::int64_t>(size)) {}
  Outcome(PacketError error)  // NOLINT(google-explicit-constructor)
      : value_(-1 - static_cast<std::int64_t>(error)) {}

  explicit operator bool() const { return value_ >= 0; }
  [[nodiscard]] std::size_t operator*() const { return static_cast<std::size_t>(value_); }
  [[nodiscard]] PacketError error() const { return static_cast<PacketError>(-1 - value_); }

 private:
  std::int64_t value_;  // the size, or -1 less the error
};

}  // namespace sluice::srtp
