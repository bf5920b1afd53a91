// A list of 16 bit code points in a received message.
#pragma once

#include <cstdint>
#include <optional>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::wire {

// A view of the bytes. Their number is even; the decoder has checked that.
template <class Code>
class CodeList {
 public:
  class Iterator {
   public:
    // NOLINTBEGIN(readability-identifier-naming): the standard names them so.
    using value_type = Code;
    using difference_type = std::ptrdiff_t;
    // NOLINTEND(readability-identifier-naming)
    Iterator() = default;
    explicit Iterator(const std::byte* at) : at_(at) {}
    Code operator*() const {
      return static_cast<Code>(std::to_integer<unsigned>(at_[0]) << 8 |
                               std::to_integer<unsigned>(at_[1]));
    }
    Iterator& operator++() {
      at_ += 2;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(Iterator, Iterator) = default;

   private:
    const std::byte* at_ = nullptr;
  };

  CodeList() = default;
  explicit CodeList(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] Iterator begin() const { return Iterator(bytes_.data()); }
  [[nodiscard]] Iterator end() const { return Iterator(bytes_.data() + bytes_.size()); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  // The encoding as received, without the preceding length.
  [[nodiscard]] Bytes bytes() const { return bytes_; }

  [[nodiscard]] bool contains(Code wanted) const {
    for (const Code code : *this) {
      if (code == wanted) return true;
    }
    return false;
  }

  // The first code of `preferred` that this list contains.
  template <class Range>
  [[nodiscard]] std::optional<Code> first_common(const Range& preferred) const {
    for (const Code code : preferred) {
      if (contains(code)) return code;
    }
    return std::nullopt;
  }

 private:
  Bytes bytes_;
};

}  // namespace sluice::dtls::wire
