// How far a connection may send of which a snapshot may be restored.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "record/epoch_numbers.h"

namespace sluice::dtls::record {

// Epoch and sequence number as one number, in the order in which records are sent.
constexpr std::uint64_t record_number(const WriteNumbers& numbers) {
  return std::uint64_t{wire::value_of(numbers.epoch)} << 48 |
         std::min(numbers.next, wire::kMaxSequenceNumber);
}
constexpr WriteNumbers write_numbers_of(std::uint64_t record_number) {
  return {wire::Epoch(static_cast<std::uint16_t>(record_number >> 48)),
          record_number & wire::kMaxSequenceNumber};
}

// What the peer knows of a connection beside its records; constant in DTLS 1.2.
struct HandshakeProgress {
  wire::Epoch read{};            // the newest epoch that the peer sends in
  wire::MessageSeq next{};       // message_seq of this side's next message
  std::uint32_t peers_next = 0;  // and of the peer's

  friend bool operator==(const HandshakeProgress&, const HandshakeProgress&) = default;
};

// A snapshot starts at a record number that the connection has not used. The connection does not
// use it before a later snapshot has taken the snapshot's place, so that no number is used twice
// whichever of the two goes on. The keys of the next epoch follow from those of this one, so this
// applies to its numbers, too.
class SendLimit {
 public:
  // The last numbers of a reserve are not for application data, but for what the connection itself
  // sends: alerts, ACKs, a KeyUpdate.
  static constexpr std::uint64_t kForMessages = 8;

  // Of a connection that was restored from a snapshot, or had one: sends up to `limit`.
  explicit SendLimit(std::uint64_t limit) : limit_(limit), newest_(limit) {}

  // Where a new snapshot starts, whose connection is to send at `next` and has `reserve` numbers.
  std::uint64_t take_snapshot(const WriteNumbers& next, std::uint64_t reserve,
                              const HandshakeProgress& progress) {
    const WriteNumbers start{next.epoch, next.next + reserve};
    newest_ = std::max(newest_, record_number(start));
    reserve_ = reserve;
    progress_ = progress;
    return newest_;
  }
  // The snapshot that starts there has replaced those before it. False: there is no such snapshot.
  bool snapshot_stored(std::uint64_t start) {
    if (start > newest_) return false;
    limit_ = std::max(limit_, start);
    return true;
  }

  [[nodiscard]] std::uint64_t limit() const { return limit_; }
  [[nodiscard]] bool allows(const WriteNumbers& next) const { return record_number(next) < limit_; }
  [[nodiscard]] bool allows_data(const WriteNumbers& next) const {
    return record_number(next) + kForMessages < limit_;
  }
  // Whether half of the newest snapshot's numbers are used, or handshake messages have been
  // exchanged since.
  [[nodiscard]] bool is_snapshot_due(const WriteNumbers& next,
                                     const HandshakeProgress& progress) const {
    return record_number(next) + reserve_ / 2 + kForMessages >= newest_ || progress != progress_;
  }

 private:
  std::uint64_t limit_;
  std::uint64_t newest_;  // where the newest snapshot starts
  std::uint64_t reserve_ = 0;
  HandshakeProgress progress_;  // at the newest snapshot
};

}  // namespace sluice::dtls::record
