// The messages of one flight, kept until the peer has answered it (RFC 6347 section 4.2.4).
#pragma once

#include <cstdint>
#include <vector>

#include <sluice/dtls/bytes.h>

#include "message/handshake_fragment.h"
#include "record/record_layer.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::flight {

// What is sent stays plaintext here and is sealed when it leaves, so that a retransmission may be
// cut at other places and takes new record numbers.
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

  // Starts over at the first message.
  void rewind() { position_ = {}; }
  [[nodiscard]] bool has_more() const { return position_.item < items_.size(); }
  struct Written {
    std::size_t bytes = 0;
    std::size_t records = 0;
  };
  // Fills one datagram of at most `mtu` bytes with as much as fits; no bytes when nothing could be
  // sealed.
  Written write_datagram(record::RecordLayer& records, MutableBytes out, std::size_t mtu);

 private:
  struct Item {
    bool is_change_cipher_spec = false;
    wire::HandshakeType type{};
    wire::MessageSeq seq{};
    wire::Epoch epoch = wire::kPlaintextEpoch;
    std::size_t start = 0;   // of the header in bytes_
    std::size_t length = 0;  // of the body
  };
  struct Position {
    std::size_t item = 0;
    std::size_t offset = 0;  // into the item's body
  };

  std::size_t begin_message();
  Bytes end_message(std::size_t start, wire::HandshakeType type, wire::MessageSeq seq,
                    wire::Epoch epoch);
  // One record of the item at position_, at most `room` bytes; 0 when that is too little.
  std::size_t write_record(record::RecordLayer& records, MutableBytes room, bool datagram_is_empty);
  std::size_t write_fragment(record::RecordLayer& records, MutableBytes room,
                             bool datagram_is_empty);

  Buffer bytes_;
  std::vector<Item> items_;
  Position position_;
};

}  // namespace sluice::dtls::flight
