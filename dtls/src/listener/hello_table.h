// ClientHellos that span datagrams, put together before their senders are known: in memory that is
// allocated once, whoever sends whatever.
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
  // What isn't whole after so long starts over: a client repeats its flight until then, and a later
  // one at the same address says another hello.
  static constexpr Duration kLifetime = std::chrono::seconds{10};

  // One hello of one sender, whole or not.
  class Entry {
   public:
    // Takes a fragment of the hello that the entry was opened for. One that contradicts what came
    // before, and so is of another hello, takes its place.
    void add(const message::HandshakeFragment& fragment);
    [[nodiscard]] bool whole() const { return have_ == length_; }
    [[nodiscard]] Bytes body() const { return memory_.first(length_); }
    // Of all datagrams since it was begun.
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
    std::uint64_t used_ = 0;  // when, among all entries; 0: the entry is free
    MutableBytes memory_;
    std::span<bool> present_;  // which bytes of memory_ have come
  };

  HelloTable(std::size_t entries, std::size_t max_length);

  // The entry of the hello that the header's fragment is a piece of; the oldest gives way to a new
  // one. Null when the table has no entry at all. `address` and the length are within the bounds.
  Entry* open(Bytes address, const message::HandshakeHeader& header, std::size_t datagram_size,
              Instant now);
  static void release(Entry& entry) { entry.used_ = 0; }

  // Hellos that gave way unfinished.
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
