// The messages of one flight, stored until the peer answers it (RFC 6347 section 4.2.4).
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

#include "message/ack.h"
#include "message/handshake_fragment.h"
#include "record/record_layer.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::flight {

// Stores the messages in plaintext and seals them when they are sent. So a retransmission may be
// fragmented differently, and its records have new numbers.
class OutgoingFlight {
 public:
  // Appends a message; `encode` writes its body. Returns the unfragmented encoding for the
  // transcript. The encoding is valid until the next call. Errors: excessive_message with
  // internal_error when something does not fit; the flight is unchanged.
  template <class Encode>
  Result<Bytes> add_message(wire::HandshakeType type, wire::MessageSeq seq, wire::Epoch epoch,
                            Encode&& encode) {
    const std::size_t start = begin_message();
    wire::Writer writer(bytes_);
    encode(writer);
    return end_message(start, writer.ok(), type, seq, epoch);
  }
  void add_change_cipher_spec() { items_.push_back({.is_change_cipher_spec = true}); }
  void clear();

  [[nodiscard]] bool empty() const { return items_.empty(); }

  // Restarts at the first message. Acknowledged ranges are omitted.
  void rewind() {
    position_ = {};
    skip_acknowledged();
  }
  // Processes the record numbers of an ACK. True if at least one belongs to this flight and is new
  // (RFC 9147 section 7.2).
  bool acknowledge(std::span<const message::RecordNumber> numbers);
  // Discards all acknowledgements, because they were not authentic.
  void forget_acknowledged();
  [[nodiscard]] bool fully_acknowledged() const;
  // Whether the whole flight has been written at least once.
  [[nodiscard]] bool has_left() const { return has_left_; }
  // The epoch of the first message. The flight must not be empty.
  [[nodiscard]] wire::Epoch first_epoch() const { return items_.front().epoch; }
  [[nodiscard]] bool has_more() const { return position_.item < items_.size(); }
  struct Written {
    std::size_t bytes = 0;
    std::size_t records = 0;
  };
  // Writes as much as fits into one datagram of at most `mtu` bytes. Writes nothing when no record
  // can be sealed.
  Written write_datagram(record::RecordLayer& records, MutableBytes out, std::size_t mtu);

 private:
  // A range of a message's body.
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
    friend auto operator<=>(const Range&, const Range&) = default;
  };
  struct Item {
    bool is_change_cipher_spec = false;
    wire::HandshakeType type{};
    wire::MessageSeq seq{};
    wire::Epoch epoch = wire::kPlaintextEpoch;
    std::size_t start = 0;   // offset of its header in bytes_
    std::size_t length = 0;  // of the body
    std::vector<Range> acknowledged = {};
  };
  struct Position {
    std::size_t item = 0;
    std::size_t offset = 0;  // into the item's body
  };

  // A range of a message, and the record that contained it.
  struct Sent {
    message::RecordNumber number;
    std::size_t item = 0;
    Range range;
  };
  // The number of sent records to remember; ACKs of older ones have no effect. Only a flight that
  // was retransmitted many times has more records.
  static constexpr std::size_t kMaxSent = 256;

  static void add_range(std::vector<Range>& ranges, Range range);
  void skip_acknowledged();

  std::size_t begin_message();
  Result<Bytes> end_message(std::size_t start, bool fits, wire::HandshakeType type,
                            wire::MessageSeq seq, wire::Epoch epoch);
  // Writes one record of the item at position_ to `room`. Returns 0 when `room` is too small.
  std::size_t write_record(record::RecordLayer& records, MutableBytes room, bool datagram_is_empty);
  std::size_t write_fragments(record::RecordLayer& records, MutableBytes room,
                              bool datagram_is_empty);
  // Writes as much of that item as fits. Returns 0 if less than `minimum` bytes fit and less than
  // the rest.
  std::size_t write_fragment(MutableBytes room, std::size_t minimum);

  Buffer bytes_;
  std::vector<Item> items_;
  std::vector<Sent> sent_;
  Position position_;
  bool has_left_ = false;
};

}  // namespace sluice::dtls::flight
