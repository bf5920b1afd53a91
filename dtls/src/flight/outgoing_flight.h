// The messages of one flight, stored until the peer answers it (RFC 6347 section 4.2.4).
#pragma once

#include <cstddef>
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

// Stores the messages in plaintext and seals them when they are sent, so that a retransmission has
// new record numbers. It keeps the pieces that the messages were cut into: a piece is acknowledged
// and retransmitted as a whole, because some peers cannot complete a message whose fragments
// overlap. If a piece no longer fits into a datagram, it becomes several smaller ones. In DTLS 1.3
// a record has several pieces when they are sent first. In a retransmission each has a record of
// its own: some peers drop what follows a fragment that they have already.
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
  void add_change_cipher_spec();
  void clear();
  // Calls `visit(epoch, encoding)` for each message, without ChangeCipherSpec.
  template <class Visit>
  void for_each_message(Visit&& visit) const {
    for (const Item& item : items_) {
      if (item.is_change_cipher_spec) continue;
      visit(item.epoch, Bytes(bytes_).subspan(item.range.begin, item.range.size()));
    }
  }
  // The messages were sent before this object was made, in bounds that it does not know.
  void mark_written();

  [[nodiscard]] bool empty() const { return items_.empty(); }

  // Restarts at the first message. Acknowledged pieces are omitted.
  void rewind();
  // The MTU of the path has changed: what is sent again is cut anew.
  void recut();
  // Processes the record numbers of an ACK. True if at least one belongs to this flight and is new
  // (RFC 9147 section 7.2). Whoever has read a record has received what its keys depend on, so the
  // messages of earlier epochs are acknowledged too.
  bool acknowledge(std::span<const message::RecordNumber> numbers);
  // The peer has the keys of `epoch`, so it has received all messages of earlier epochs.
  void acknowledge_before(wire::Epoch epoch);
  // Discards all acknowledgements, because they were not authentic.
  void forget_acknowledged();
  [[nodiscard]] bool fully_acknowledged() const;
  // Whether the whole flight has been written at least once.
  [[nodiscard]] bool has_left() const { return has_left_; }
  // Whether a message was cut into several pieces.
  [[nodiscard]] bool has_fragments() const;
  // The epoch of the first message. The flight must not be empty.
  [[nodiscard]] wire::Epoch first_epoch() const { return items_.front().epoch; }
  [[nodiscard]] bool has_more() const { return next_ < pieces_.size() || cut_ < bytes_.size(); }
  struct Written {
    std::size_t bytes = 0;
    std::size_t records = 0;
  };
  // Writes as much as fits into one datagram of at most `mtu` bytes. Writes nothing when no record
  // can be sealed.
  Written write_datagram(record::RecordLayer& records, MutableBytes out, std::size_t mtu);

 private:
  // A range of bytes_.
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] std::size_t size() const { return end - begin; }
  };
  // A message with its header, or ChangeCipherSpec, whose contents are its only byte.
  struct Item {
    bool is_change_cipher_spec = false;
    wire::HandshakeType type{};
    wire::MessageSeq seq{};
    wire::Epoch epoch = wire::kPlaintextEpoch;
    Range range;
  };
  // Whole messages of one epoch, or a fragment of one message. The first fragment of a message
  // includes its header.
  struct Piece {
    Range range;
    wire::Epoch epoch = wire::kPlaintextEpoch;
    bool is_acknowledged = false;
    bool is_cut = false;  // was sent, or is being sent, in these bounds
  };
  // A record number, and the contents of that record.
  struct Sent {
    message::RecordNumber number;
    Range range;
  };
  // The number of sent records to remember; ACKs of older ones have no effect. Only a flight that
  // was retransmitted many times has more records.
  static constexpr std::size_t kMaxSent = 256;

  void skip_acknowledged();
  // The item that contains this byte.
  [[nodiscard]] std::vector<Item>::const_iterator item_at(std::size_t offset) const;

  // Allocates for a usual flight at its first message, so that it does not grow piece by piece.
  void reserve();
  static constexpr std::size_t kUsualBytes = 1024;  // without certificates
  static constexpr std::size_t kUsualItems = 4;

  std::size_t begin_message();
  Result<Bytes> end_message(std::size_t start, bool fits, wire::HandshakeType type,
                            wire::MessageSeq seq, wire::Epoch epoch);
  [[nodiscard]] wire::Epoch next_epoch() const;
  // Writes the next record to `room`, a part of a datagram of `datagram` bytes. Returns 0 when
  // `room` is too small.
  std::size_t write_record(record::RecordLayer& records, MutableBytes room, std::size_t datagram);
  // Joins the unacknowledged pieces from `first` on, to be cut anew.
  void join_pieces(std::size_t first);
  enum class Cut : std::uint8_t {
    none,    // no piece fits
    before,  // the piece has the bounds in which it was sent before
    now,
  };
  // Makes pieces_[next_] a piece of at most `capacity` bytes of contents. A piece that was sent
  // before is only divided when it is longer than `whole_capacity`, which an empty datagram has.
  Cut cut_next_piece(std::size_t capacity, std::size_t whole_capacity);
  // The end of a piece that begins with the range, does not exceed it, and fits. A fragment has at
  // least `minimum` bytes of its message, or the rest. The begin of the range: none fits.
  [[nodiscard]] std::size_t end_of_piece(const Range& range, std::size_t capacity,
                                         std::size_t minimum) const;
  // Writes the contents of a record. Returns their size.
  std::size_t write_contents(const Range& piece, MutableBytes out) const;

  Buffer bytes_;
  std::vector<Item> items_;
  std::vector<Piece> pieces_;  // in order, without gaps
  std::size_t cut_ = 0;        // the end of the last piece
  std::size_t next_ = 0;       // the index of the piece to be sent next
  std::vector<Sent> sent_;
  bool has_left_ = false;
  bool is_to_recut_ = false;  // at the next rewind()
};

}  // namespace sluice::dtls::flight
