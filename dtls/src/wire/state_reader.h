// Reads the state of a session that goes on in another process.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/reader.h"

namespace sluice::dtls::wire {

// A Reader that says what is wrong. The first failure makes all that follows empty.
class StateReader {
 public:
  explicit StateReader(Bytes bytes) : in_(bytes) {}

  Reader* operator->() { return &in_; }
  // `why` has static lifetime.
  void fail(std::string_view why) {
    if (!in_.ok()) return;
    why_ = why;
    in_.fail();
  }
  void expect(bool is_so, std::string_view otherwise) {
    if (!is_so) fail(otherwise);
  }
  [[nodiscard]] bool ok() const { return in_.ok(); }
  // What is wrong; empty: nothing, and everything was read.
  [[nodiscard]] std::string_view failure() const {
    if (!why_.empty()) return why_;
    if (!in_.ok()) return "truncated";
    return in_.more() ? "bytes that are left over" : "";
  }

 private:
  Reader in_;
  std::string_view why_ = {};
};

}  // namespace sluice::dtls::wire
