// Reassembles handshake messages from fragments, which may arrive in any order (RFC 6347 section
// 4.2.3).
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

#include "message/handshake_fragment.h"
#include "wire/types.h"

namespace sluice::dtls::flight {

// A complete message with the header of its unfragmented form, as the transcript requires.
struct IncomingMessage {
  wire::HandshakeType type{};
  wire::MessageSeq message_seq{};
  wire::Epoch epoch{};
  Bytes encoding;

  [[nodiscard]] Bytes body() const { return encoding.subspan(message::kHandshakeHeaderSize); }
};

struct ReassemblyLimits {
  std::size_t max_message;  // bytes of one message's body
  std::size_t max_bytes;    // bytes stored for all messages; one whole message always fits
};

// Uses memory for the bytes that arrive, not for the length in a header. What is kept stays until
// it is delivered, because it may have been acknowledged (RFC 9147 section 7). So that the messages
// before it always find room, it is kept only if their whole lengths remain free; where no fragment
// has shown the length, that is the longest message.
class Reassembler {
 public:
  enum class Outcome : std::uint8_t {
    kept,
    stale,      // of a message that was delivered before: the peer retransmits
    full,       // dropped: no room is left, or too far ahead
    plaintext,  // dropped: fragments of the message have arrived encrypted
    replaced,   // kept, in place of plaintext fragments that contradict it
  };

  explicit Reassembler(ReassemblyLimits limits) : limits_(limits) {}

  // Anyone can send a plaintext fragment, so none is an error, and none of those that are stored
  // keeps another out: of fragments that contradict each other the encrypted ones count, else the
  // newest. Errors, of encrypted fragments only: excessive_message; illegal_parameter or
  // unexpected_message if fragments of one message differ in type, length or epoch.
  Result<Outcome> add(const message::HandshakeFragment& fragment, wire::Epoch epoch);
  // The same for a fragment that was read from a record, but the next expected message is not
  // copied if it is whole and nothing is stored. Its bytes must stay valid until pop() or keep().
  Result<Outcome> borrow(const message::HandshakeFragment& fragment, wire::Epoch epoch);
  // Stores a message that was borrowed and not popped.
  void keep();

  // The next expected message, if it is complete. Valid until pop(), keep(), add() or borrow().
  [[nodiscard]] std::optional<IncomingMessage> front() const;
  void pop();

  [[nodiscard]] wire::MessageSeq next_seq() const { return next_seq_; }
  // Sets the number of the first message, if other code has processed the messages before it. Call
  // this before the first add().
  void start_at(wire::MessageSeq seq) { next_seq_ = seq; }
  // The same if the other code has processed the message with the last message_seq.
  void start_used_up() { used_up_ = true; }
  // Whether data is missing before a fragment that has arrived.
  [[nodiscard]] bool has_gap() const;
  // Whether a message of this epoch, complete or not, is stored.
  [[nodiscard]] bool holds(wire::Epoch epoch) const;
  // Drops all messages and fragments of this epoch.
  void forget(wire::Epoch epoch);
  // Calls `visit(epoch, fragment)` for each part of a message that is stored.
  template <class Visit>
  void for_each_kept(Visit&& visit) const {
    for (const auto& [seq, partial] : partial_) {
      const auto part = [&](std::size_t offset, Bytes body) {
        const message::HandshakeHeader header{partial.type, partial.length, seq,
                                              static_cast<std::uint32_t>(offset),
                                              static_cast<std::uint32_t>(body.size())};
        visit(partial.epoch, message::HandshakeFragment{header, body});
      };
      const Bytes start = Bytes(partial.encoding).subspan(message::kHandshakeHeaderSize);
      if (!start.empty() || partial.length == 0) part(0, start);
      for (const auto& [offset, body] : partial.ahead) part(offset, body);
    }
  }
  // Whether no message or fragment is stored.
  [[nodiscard]] bool empty() const { return partial_.empty() && !borrowed_; }
  // Whether the message with the last message_seq was delivered. Then no message can be new.
  [[nodiscard]] bool is_used_up() const { return used_up_; }

 private:
  // Messages that are further ahead than this are dropped; no flight has so many.
  static constexpr unsigned kMaxAhead = 16;
  // The memory of a fragment in addition to its bytes. It makes the limit apply to many tiny
  // fragments too.
  static constexpr std::size_t kPieceCost = 64;
  // The limit always allows one message of the largest size, with so many gaps.
  static constexpr std::size_t kMinimumGaps = 8;

  struct Partial {
    wire::HandshakeType type{};
    wire::Epoch epoch{};
    std::uint32_t length = 0;
    Buffer encoding;  // header, and the start of the body up to the first gap
    // What has arrived after a gap, by its offset. These do not overlap.
    std::map<std::uint32_t, Buffer> ahead;
    std::size_t ahead_bytes = 0;

    [[nodiscard]] std::size_t contiguous() const;
    [[nodiscard]] bool whole() const { return contiguous() == length; }
    // The bytes that it takes, and those that it takes when all of it has arrived in order.
    [[nodiscard]] std::size_t bytes() const {
      return encoding.size() + kPieceCost + ahead_bytes + ahead.size() * kPieceCost;
    }
    [[nodiscard]] std::size_t bytes_when_whole() const {
      return message::kHandshakeHeaderSize + length + kPieceCost + ahead.size() * kPieceCost;
    }
  };

  struct Borrowed {
    message::HandshakeFragment fragment;
    wire::Epoch epoch;
  };

  // What a fragment adds to a message.
  struct Addition {
    std::size_t bytes = 0;
    std::size_t pieces = 0;  // after a gap
  };

  static Partial begin(const message::HandshakeHeader& header, wire::Epoch epoch);
  static Result<void> check(const Partial& partial, const message::HandshakeHeader& header,
                            wire::Epoch epoch);
  // Compares a fragment with those of its message that are stored. `kept`: they fit. Drops
  // plaintext fragments that do not (`replaced`). Errors: as add().
  Result<Outcome> compare(std::map<wire::MessageSeq, Partial>::iterator known,
                          const message::HandshakeHeader& header, wire::Epoch epoch);
  // Calls `use(begin, end)` for each range of the body within `begin` to `end` that has not
  // arrived.
  template <class Use>
  static void for_each_missing(const Partial& partial, std::size_t begin, std::size_t end,
                               Use&& use);
  static Addition addition(const Partial& partial, const message::HandshakeFragment& fragment);
  // Whether the addition to this message leaves room for all of the messages up to it.
  [[nodiscard]] bool has_room(wire::MessageSeq seq, const Partial& partial,
                              const Addition& addition) const;
  static void store(Partial& partial, const message::HandshakeFragment& fragment);

  ReassemblyLimits limits_;
  wire::MessageSeq next_seq_{0};
  bool used_up_ = false;  // the last message_seq was delivered
  std::map<wire::MessageSeq, Partial> partial_;
  std::optional<Borrowed> borrowed_;  // the next message, while nothing is stored
};

}  // namespace sluice::dtls::flight
