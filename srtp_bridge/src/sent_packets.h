// Which RTP packets of one SSRC have been sent, and what tells whether one is sent again unchanged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "index_history.h"

namespace sluice::srtp {

// An index may be used again for the same packet alone: under one key and index, AES counter mode
// gives two packets the same key stream, and AES-GCM its authentication key as well (RFC 3711
// section 9.1, RFC 7714 section 8.1). The same packet is protected to the same bytes, so its
// authentication tag identifies it.
class SentPackets {
 public:
  // The first bytes of an authentication tag; 0 is kept for "none".
  using Tag = std::uint64_t;

  // `window`: how far a packet may lag behind the newest one. `repeats`: how far one that is sent
  // again may, 0 (none) to `window`, which is at least 1; both in packets. Takes window / 8 bytes,
  // and eight bytes for each of `repeats`, which is rounded up to a power of two.
  SentPackets(std::size_t window, std::size_t repeats);

  // All that `history` contains is used, without tags. What it has no room for is out of the
  // window.
  void restore(const IndexHistory& history);
  // Empty before the first packet.
  [[nodiscard]] IndexHistory history() const;

  // 0 before the first packet.
  [[nodiscard]] std::uint64_t highest() const { return highest_; }

  enum class State : std::uint8_t {
    unused,
    used,
    out_of_window,  // nobody knows any more
  };
  [[nodiscard]] State state_of(std::uint64_t index) const {
    return index > highest_ ? State::unused : state_of_older(index);
  }

  // Makes an unused index a used one, without tag. Where its tag belongs, until use() is called
  // again; null when it lags too far to be sent again.
  Tag* use(std::uint64_t index) {
    if (index > highest_) move_to(index);
    used_[word_of(index)] |= bit_of(index);
    if (!repeatable(index)) return nullptr;
    Tag& tag = tags_[index & tag_mask_];
    tag = 0;
    return &tag;
  }
  // Of a used index. Empty when it lags too far to be sent again, or has no tag.
  [[nodiscard]] std::optional<Tag> tag_of(std::uint64_t index) const;

 private:
  static constexpr std::size_t kWordBits = 64;

  [[nodiscard]] std::size_t word_of(std::uint64_t index) const {
    return index / kWordBits & word_mask_;
  }
  static constexpr std::uint64_t bit_of(std::uint64_t index) {
    return std::uint64_t{1} << (index % kWordBits);
  }
  [[nodiscard]] bool repeatable(std::uint64_t index) const { return highest_ - index < repeats_; }
  // Of one that is not above the highest.
  [[nodiscard]] State state_of_older(std::uint64_t index) const;
  // Makes `index`, which is above the highest, the highest. What lies between has not been used.
  void move_to(std::uint64_t index) {
    if (index - highest_ != 1) forget_between(index);
    highest_ = index;
  }
  void forget_between(std::uint64_t index);

  std::size_t window_;
  std::size_t repeats_;
  std::uint64_t highest_ = 0;
  // Rings of a power of two, since a division would cost more than the rest. The masks are their
  // sizes less one.
  std::vector<std::uint64_t> used_;  // a bit for each index of the window
  std::vector<Tag> tags_;
  std::size_t word_mask_;
  std::size_t tag_mask_;
};

}  // namespace sluice::srtp
