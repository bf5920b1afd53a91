// The sizes of the records of one epoch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <sluice/dtls/cipher_suite12.h>

#include "crypto/record_mask.h"
#include "record/header12.h"
#include "record/header13.h"
#include "record/inner_plaintext.h"

namespace sluice::dtls::record {

// The bytes that protection with one key adds to a record.
struct RecordRoom {
  std::uint16_t head = kHeaderSize12;  // before the contents: the header, an explicit nonce or IV
  std::uint8_t tail = 0;               // after the contents, at most: content type, tag or MAC
  std::uint8_t min_contents = 0;       // shorter contents are padded to this size
  bool has_inner_type = false;         // the records have an InnerPlaintext
  bool has_exact_tail = true;          // every record has all of `tail`
};

// The room of records of DTLS 1.2. `has_exact_tail`: every record has all of `protection.tail`.
constexpr RecordRoom room12(const RecordRoom12& protection, bool has_exact_tail) {
  return {static_cast<std::uint16_t>(kHeaderSize12 + protection.head),
          static_cast<std::uint8_t>(protection.tail), 0, false, has_exact_tail};
}
// The shortest inner plaintext of DTLS 1.3: ciphertext and tag hold at least the bytes that the
// mask of the record number is made from (RFC 9147 section 4.2.3).
constexpr std::size_t min_inner_size(std::size_t tag_size) {
  return std::max(crypto::RecordMask::kSampleSize - tag_size, kInnerTypeSize);
}
// The room of records of DTLS 1.3 with tags of this size.
constexpr RecordRoom room13(std::size_t tag_size) {
  return {static_cast<std::uint16_t>(kHeaderSize13),
          static_cast<std::uint8_t>(kInnerTypeSize + tag_size),
          static_cast<std::uint8_t>(min_inner_size(tag_size) - kInnerTypeSize), true, true};
}

// Computes the overhead and the sizes of the records of one epoch, in bytes.
class RecordSize {
 public:
  // `padding`: the size of an inner plaintext becomes a multiple of this.
  RecordSize(const RecordRoom& room, std::uint16_t max_contents, std::uint16_t padding)
      : room_(room), max_contents_(max_contents), padding_(padding) {}

  // The bytes before the contents.
  [[nodiscard]] std::size_t head() const { return room_.head; }
  // The bytes before the contents and the most bytes after them, without padding.
  [[nodiscard]] std::size_t overhead() const { return std::size_t{room_.head} + room_.tail; }
  // The size of the shortest record.
  [[nodiscard]] std::size_t shortest() const {
    return room_.has_exact_tail ? unpadded(0) : room_.head;
  }
  // The longest contents that a record may have.
  [[nodiscard]] std::size_t max_contents() const { return max_contents_; }

  // The size of a record with contents of this size, without optional padding.
  [[nodiscard]] std::size_t unpadded(std::size_t contents) const {
    return overhead() + std::max<std::size_t>(contents, room_.min_contents);
  }
  // The same with padding, which makes a record no longer than `limit`.
  [[nodiscard]] std::size_t padded(std::size_t contents, std::size_t limit) const {
    const std::size_t least = unpadded(contents);
    if (!room_.has_inner_type || padding_ <= 1) return least;
    // These are sizes of the inner plaintext.
    const std::size_t unpadded_inner = least - overhead() + kInnerTypeSize;
    const std::size_t multiple = (unpadded_inner + padding_ - 1) / padding_ * padding_;
    // RFC 8449 section 4 counts type and padding.
    const std::size_t inner =
        std::min(multiple, std::max<std::size_t>(unpadded_inner, max_contents_ + kInnerTypeSize));
    return std::min(overhead() + inner - kInnerTypeSize, std::max(least, limit));
  }

 private:
  RecordRoom room_;
  std::uint16_t max_contents_;
  std::uint16_t padding_;
};

}  // namespace sluice::dtls::record
