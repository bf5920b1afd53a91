// Packets from one thread to another, without locks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>

#include <sluice/dtls/bytes.h>

namespace sluice::interop::sfu {

// A ring of records, each a Header and bytes, for one thread that writes and one that reads. A
// record lies in one piece, so that it is read, and decrypted, where it lies. What has no room is
// dropped and counted. Memory becomes resident as it is used.
template <class Header>
class RecordQueue {
  static_assert(std::is_trivially_copyable_v<Header>);

 public:
  // The longest bytes of a record.
  static constexpr std::size_t kMaxBytes = 65'535;
  static constexpr std::size_t kDefaultCapacity = std::size_t{1} << 20;

  struct Record {
    Header header;
    dtls::MutableBytes bytes;
  };

  // `capacity` in bytes, a power of two of at least 256 kB. Each record takes up to 32 bytes beside
  // its header and its bytes.
  explicit RecordQueue(std::size_t capacity = kDefaultCapacity)
      : mask_(capacity - 1), memory_(std::make_unique_for_overwrite<Unit[]>(capacity / kUnit)) {}

  // ---- the thread that writes

  // Whether the other one has not released all yet.
  [[nodiscard]] bool has_unread() const {
    return begin_.load(std::memory_order_acquire) != written_;
  }
  // False: it was dropped, and counted.
  bool push(const Header& header, dtls::Bytes bytes) {
    const std::size_t size = size_of(bytes.size());
    const std::size_t to_end = capacity() - place_of(written_);
    const std::size_t skipped = size > to_end ? to_end : 0;
    if (bytes.size() > kMaxBytes || !has_room(size + skipped)) {
      dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return false;
    }
    if (skipped > 0) put_length(written_, kSkip);
    const std::uint64_t start = written_ + skipped;
    put_length(start, static_cast<std::uint32_t>(bytes.size()));
    std::memcpy(at(start) + kHeaderAt, &header, sizeof header);
    if (!bytes.empty()) std::memcpy(at(start) + kBytesAt, bytes.data(), bytes.size());
    written_ = start + size;
    end_.store(written_, std::memory_order_release);
    return true;
  }

  // ---- the thread that reads

  // The next record; empty: there is none. Its bytes may be changed, and are valid until release().
  std::optional<Record> next() {
    if (read_ == known_end_) known_end_ = end_.load(std::memory_order_acquire);
    if (read_ == known_end_) return std::nullopt;
    std::uint32_t length = length_at(read_);
    if (length == kSkip) {
      read_ += capacity() - place_of(read_);
      length = length_at(read_);
    }
    Record record{.header = {}, .bytes = {at(read_) + kBytesAt, length}};
    std::memcpy(&record.header, at(read_) + kHeaderAt, sizeof record.header);
    read_ += size_of(length);
    return record;
  }
  // Gives back the memory of all records that next() has returned.
  void release() { begin_.store(read_, std::memory_order_release); }
  // Whether next() would return one.
  [[nodiscard]] bool has_next() const { return end_.load(std::memory_order_acquire) != read_; }

  // ---- any thread

  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kUnit = 16;
  static constexpr std::size_t kLine = 64;  // of the processor's cache
  static constexpr std::size_t kHeaderAt = 8;
  static constexpr std::size_t kBytesAt = kHeaderAt + (sizeof(Header) + 7) / 8 * 8;
  // In place of a length: the record is at the beginning of the ring.
  static constexpr std::uint32_t kSkip = std::numeric_limits<std::uint32_t>::max();
  struct alignas(kUnit) Unit {
    std::byte bytes[kUnit];  // NOLINT(modernize-avoid-c-arrays): its memory stays uninitialised
  };
  static_assert(alignof(Header) <= 8);

  static constexpr std::size_t size_of(std::size_t bytes) {
    return (kBytesAt + bytes + kUnit - 1) / kUnit * kUnit;
  }
  [[nodiscard]] std::size_t capacity() const { return mask_ + 1; }
  [[nodiscard]] std::size_t place_of(std::uint64_t position) const { return position & mask_; }
  [[nodiscard]] std::byte* at(std::uint64_t position) const {
    return reinterpret_cast<std::byte*>(memory_.get()) + place_of(position);
  }
  void put_length(std::uint64_t position, std::uint32_t length) {
    std::memcpy(at(position), &length, sizeof length);
  }
  [[nodiscard]] std::uint32_t length_at(std::uint64_t position) const {
    std::uint32_t length = 0;
    std::memcpy(&length, at(position), sizeof length);
    return length;
  }
  bool has_room(std::size_t size) {
    if (written_ + size - known_begin_ <= capacity()) return true;
    known_begin_ = begin_.load(std::memory_order_acquire);
    return written_ + size - known_begin_ <= capacity();
  }

  // Positions only grow; their places in the ring are their lowest bits.
  std::size_t mask_;
  std::unique_ptr<Unit[]> memory_;  // NOLINT(modernize-avoid-c-arrays)
  // Of the thread that writes.
  alignas(kLine) std::uint64_t written_ = 0;
  std::uint64_t known_begin_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  alignas(kLine) std::atomic<std::uint64_t> end_ = 0;
  // Of the thread that reads.
  alignas(kLine) std::uint64_t read_ = 0;
  std::uint64_t known_end_ = 0;
  alignas(kLine) std::atomic<std::uint64_t> begin_ = 0;
};

}  // namespace sluice::interop::sfu
