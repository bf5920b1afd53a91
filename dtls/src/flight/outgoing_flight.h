// The messages of one flight, kept until the peer has answered it (RFC 6347 section 4.2.4).
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include <sluice/dtls/bytes.h>

#include "message/ack.h"
#include "message/handshake_fragment.h"
#include "record/record_layer.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::flight {

// The messages stay plaintext here and are sealed when they leave, so a retransmission may be cut
// at other places, and its records have new numbers.
class OutgoingFlight {
 public:
  // Appends a message; `encode` writes its body. Returns its encoding, unfragmented, for the
  // transcript; valid until the next call.
  template <class Encode>
  Bytes add_message(wire::HandshakeType type, wire::MessageSeq seq, wire::Epoch epoch,
                    Encode&& encode) {
    const std::size_t start = begin_message();
    wire::Writer writer(bytes_);
    encode(writer);
    return end_message(start, type, seq, epoch);
  }
  void add_change_cipher_spec() { items_.push_back({.is_change_cipher_spec = true}); }
  void clear();

  [[nodiscard]] bool empty() const { return items_.empty(); }

  // Starts again at the first message. Acknowledged parts are left out.
  void rewind() {
    position_ = {};
    skip_acknowledged();
  }
  // Takes an ACK's numbers; true when one was of this flight and new (RFC 9147 section 7.2).
  bool acknowledge(std::span<const message::RecordNumber> numbers);
  // Forgets the ACKs so far: they weren't authentic.
  void forget_acknowledged();
  [[nodiscard]] bool fully_acknowledged() const;
  // Whether all of it has been written at least once.
  [[nodiscard]] bool has_left() const { return has_left_; }
  // What its first message is protected with; of a flight that isn't empty.
  [[nodiscard]] wire::Epoch first_epoch() const { return items_.front().epoch; }
  [[nodiscard]] bool has_more() const { return position_.item < items_.size(); }
  struct Written {
    std::size_t bytes = 0;
    std::size_t records = 0;
  };
  // Fills one datagram of at most `mtu` bytes with as much as fits. Writes nothing when nothing
  // can be sealed.
  Written write_datagram(record::RecordLayer& records, MutableBytes out, std::size_t mtu);

 private:
  // A part of a message's body.
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
    std::size_t start = 0;   // where its header lies in bytes_
    std::size_t length = 0;  // the body's
    std::vector<Range> acknowledged = {};
  };
  struct Position {
    std::size_t item = 0;
    std::size_t offset = 0;  // into the item's body
  };

  // A part of a message, and the record that it left in.
  struct Sent {
    message::RecordNumber number;
    std::size_t item = 0;
    Range range;
  };
  // An ACK of older records is not understood. Only many retransmissions have more records.
  static constexpr std::size_t kMaxSent = 256;

  static void add_range(std::vector<Range>& ranges, Range range);
  void skip_acknowledged();

  std::size_t begin_message();
  Bytes end_message(std::size_t start, wire::HandshakeType type, wire::MessageSeq seq,
                    wire::Epoch epoch);
  // Writes one record of the item at position_ into `room`. Returns 0 when that is too small.
  std::size_t write_record(record::RecordLayer& records, MutableBytes room, bool datagram_is_empty);
  std::size_t write_fragments(record::RecordLayer& records, MutableBytes room,
                              bool datagram_is_empty);
  // Writes as much of that item as fits. Returns 0 if that is neither `minimum` bytes nor all.
  std::size_t write_fragment(MutableBytes room, std::size_t minimum);

  Buffer bytes_;
  std::vector<Item> items_;
  std::vector<Sent> sent_;
  Position position_;
  bool has_left_ = false;
};

}  // namespace sluice::dtls::flight
