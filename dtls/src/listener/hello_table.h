// Reassembles ClientHellos of unverified senders in memory of a fixed size.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <sluice/dtls/clock.h>

#include "crypto/keyed_hash.h"
#include "message/handshake_fragment.h"

namespace sluice::dtls::listener {

// A sender chooses the address and the numbers that its entry is found by, so the hash has a key.
// An entry is found, opened, replaced and released in O(1). A fragment takes time for its own
// bytes, not for the length that it claims.
class HelloTable {
 public:
  static constexpr std::size_t kMaxAddress = 32;
  // An incomplete hello that is older than this is discarded when the next fragment arrives. A
  // client retransmits its flight before that; a later fragment from the same address belongs to
  // another hello.
  static constexpr Duration kLifetime = std::chrono::seconds{10};
  // The parts of a hello that may be apart while bytes between them are missing. A fragment that
  // would be one more is dropped. Fragments in order are one part; the limit is reached where more
  // than 32 of a hello overtake each other, which takes 60 datagrams in the worst order.
  static constexpr std::size_t kMaxParts = 32;

  // One hello of one sender, complete or not.
  class Entry {
   public:
    // Adds a fragment of the entry's hello. A fragment that contradicts the earlier ones belongs to
    // another hello, which replaces this one.
    void add(const message::HandshakeFragment& fragment);
    [[nodiscard]] bool whole() const { return have_ == length_; }
    [[nodiscard]] Bytes body() const { return memory_.first(length_); }
    // The bytes of all datagrams since the entry was opened.
    [[nodiscard]] std::size_t bytes_received() const { return bytes_received_; }

   private:
    friend class HelloTable;

    struct Part {
      std::uint32_t begin = 0;
      std::uint32_t end = 0;
    };

    [[nodiscard]] bool is_of(std::uint64_t hash, Bytes address,
                             const message::HandshakeHeader& header) const;
    void begin(std::uint64_t hash, Bytes address, const message::HandshakeHeader& header,
               Instant now);
    void forget_fragments();
    [[nodiscard]] std::span<const Part> parts() const { return std::span(parts_).first(count_); }
    [[nodiscard]] bool contradicts(std::uint32_t begin, Bytes body) const;
    // False when there is no room for another part.
    [[nodiscard]] bool add_part(Part added);

    std::array<std::byte, kMaxAddress> address_{};
    std::size_t address_size_ = 0;
    std::uint64_t hash_ = 0;
    wire::MessageSeq seq_{};
    std::size_t length_ = 0;
    std::size_t have_ = 0;
    std::size_t bytes_received_ = 0;
    Instant begun_{};
    MutableBytes memory_;
    std::array<Part, kMaxParts> parts_{};  // of memory_ that have arrived, in order
    std::size_t count_ = 0;
    bool is_used_ = false;

    // Entries by number.
    std::uint32_t next_in_bucket_ = 0;
    std::uint32_t older_ = 0;
    std::uint32_t newer_ = 0;
  };

  HelloTable(std::size_t entries, std::size_t max_length, crypto::KeyedHash hash);

  // Finds or opens the entry for the hello of this fragment header. A new entry replaces the least
  // recently used one if the table is full. Null when the table has no entries at all. The sizes of
  // `address` and of the hello must be within the limits.
  Entry* open(Bytes address, const message::HandshakeHeader& header, std::size_t datagram_size,
              Instant now);
  void release(Entry& entry);

  // The number of incomplete hellos that were replaced.
  [[nodiscard]] std::uint64_t evictions() const { return evictions_; }
  [[nodiscard]] std::size_t in_use() const { return in_use_; }
  // The entries that the longest search would look at.
  [[nodiscard]] std::size_t longest_search() const;

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  [[nodiscard]] std::uint64_t hash_of(Bytes address, const message::HandshakeHeader& header) const;
  [[nodiscard]] std::uint32_t& bucket_of(std::uint64_t hash) {
    return buckets_[hash & (buckets_.size() - 1)];
  }
  [[nodiscard]] std::uint32_t number_of(const Entry& entry) const {
    return static_cast<std::uint32_t>(&entry - entries_.data());
  }
  void leave_bucket(Entry& entry);
  // The list of all entries, in the order of their use; those that are free come before the others.
  void unlink(Entry& entry);
  void link_newest(Entry& entry);
  void link_oldest(Entry& entry);

  Buffer memory_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> buckets_;  // a power of two of them: the first entry of each
  crypto::KeyedHash hash_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::size_t in_use_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace sluice::dtls::listener
