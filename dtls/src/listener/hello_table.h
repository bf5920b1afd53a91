// Reassembles ClientHellos of unverified senders in memory of a fixed size.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include <sluice/dtls/clock.h>

#include "message/handshake_fragment.h"

namespace sluice::dtls::listener {

class HelloTable {
 public:
  static constexpr std::size_t kMaxAddress = 32;
  // An incomplete hello that is older than this is discarded when the next fragment arrives. A
  // client retransmits its flight before that; a later fragment from the same address belongs to
  // another hello.
  static constexpr Duration kLifetime = std::chrono::seconds{10};

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

    [[nodiscard]] bool is_of(Bytes address, const message::HandshakeHeader& header) const;
    void begin(Bytes address, const message::HandshakeHeader& header, Instant now);
    void forget_fragments();

    std::array<std::byte, kMaxAddress> address_{};
    std::size_t address_size_ = 0;
    wire::MessageSeq seq_{};
    std::size_t length_ = 0;
    std::size_t have_ = 0;
    std::size_t bytes_received_ = 0;
    Instant begun_{};
    std::uint64_t used_ = 0;  // order of use among all entries; 0: the entry is free
    MutableBytes memory_;
    std::span<bool> present_;  // which bytes of memory_ have arrived
  };

  HelloTable(std::size_t entries, std::size_t max_length);

  // Finds or opens the entry for the hello of this fragment header. A new entry replaces the least
  // recently used one if the table is full. Null when the table has no entries at all. The sizes of
  // `address` and of the hello must be within the limits.
  Entry* open(Bytes address, const message::HandshakeHeader& header, std::size_t datagram_size,
              Instant now);
  static void release(Entry& entry) { entry.used_ = 0; }

  // The number of incomplete hellos that were replaced.
  [[nodiscard]] std::uint64_t evictions() const { return evictions_; }
  [[nodiscard]] std::size_t in_use() const;

 private:
  Buffer memory_;
  std::unique_ptr<bool[]> present_;
  std::vector<Entry> entries_;
  std::uint64_t uses_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace sluice::dtls::listener
