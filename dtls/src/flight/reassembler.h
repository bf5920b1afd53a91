// Puts handshake messages together from fragments that come in any order (RFC 6347 section 4.2.3).
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

#include "message/handshake_fragment.h"
#include "wire/types.h"

namespace sluice::dtls::flight {

// A whole message with the header of its unfragmented form, as the transcript takes it.
struct IncomingMessage {
  wire::HandshakeType type{};
  wire::MessageSeq message_seq{};
  wire::Epoch epoch{};
  Bytes encoding;

  [[nodiscard]] Bytes body() const { return encoding.subspan(message::kHandshakeHeaderSize); }
};

struct ReassemblyLimits {
  std::size_t max_message;  // bytes of one message's body
  std::size_t max_bytes;    // bytes kept of all messages together; one whole message always fits
};

// Memory follows the bytes that arrive, not the length in a header. At the bound, later messages
// are dropped for the one that is due, and pieces behind a gap for those before the gap.
class Reassembler {
 public:
  enum class Outcome : std::uint8_t {
    kept,
    stale,  // of a message that was taken before: the peer retransmits
    full,   // dropped: above the bound, or too far ahead
  };

  explicit Reassembler(ReassemblyLimits limits) : limits_(limits) {}

  // Errors: excessive_message, and illegal_parameter or unexpected_message for fragments of one
  // message that contradict each other in type, length or epoch.
  Result<Outcome> add(const message::HandshakeFragment& fragment, wire::Epoch epoch);

  // The message that is due, if it is whole; valid until pop() or add().
  [[nodiscard]] std::optional<IncomingMessage> front() const;
  void pop();

  [[nodiscard]] wire::MessageSeq next_seq() const { return next_seq_; }
  // Messages before this one were taken elsewhere. Called before anything has arrived.
  void start_at(wire::MessageSeq seq) { next_seq_ = seq; }
  // Something is missing before a part that has arrived.
  [[nodiscard]] bool has_gap() const;
  // A message of this epoch is waiting, whole or in part.
  [[nodiscard]] bool holds(wire::Epoch epoch) const;
  // Drops this epoch's messages and their parts.
  void forget(wire::Epoch epoch);
  // No message is waiting, whole or in part.
  [[nodiscard]] bool empty() const { return partial_.empty(); }
  // The message with the last number was taken, so no message is new any more.
  [[nodiscard]] bool is_used_up() const { return used_up_; }

 private:
  struct Partial {
    wire::HandshakeType type{};
    wire::Epoch epoch{};
    std::uint32_t length = 0;
    Buffer encoding;                        // header and the body from its start, without a gap
    std::map<std::uint32_t, Buffer> ahead;  // pieces behind a gap, by their offset

    [[nodiscard]] std::size_t contiguous() const;
    [[nodiscard]] bool whole() const { return contiguous() == length; }
  };

  // Messages further ahead than this are dropped; no flight has more.
  static constexpr unsigned kMaxAhead = 16;
  // The memory that a piece takes besides its bytes, so that many tiny pieces have a bound too.
  static constexpr std::size_t kPieceCost = 64;

  static Partial begin(const message::HandshakeHeader& header, wire::Epoch epoch);
  static Result<void> check(const Partial& partial, const message::HandshakeHeader& header,
                            wire::Epoch epoch);
  bool make_room(wire::MessageSeq seq, std::size_t size, bool in_order);
  void store(Partial& partial, std::uint32_t offset, Bytes body);
  void drop(std::map<wire::MessageSeq, Partial>::iterator position);

  ReassemblyLimits limits_;
  wire::MessageSeq next_seq_{0};
  bool used_up_ = false;  // the last number was taken: no message is new
  std::map<wire::MessageSeq, Partial> partial_;
  std::size_t bytes_ = 0;
};

}  // namespace sluice::dtls::flight
