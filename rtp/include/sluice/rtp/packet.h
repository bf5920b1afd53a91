// RTP packets: headers read, written, and rewritten in place (RFC 3550 section 5.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <sluice/rtp/bytes.h>
#include <sluice/rtp/error.h>
#include <sluice/rtp/item_list.h>
#include <sluice/rtp/numbers.h>

namespace sluice::rtp {

inline constexpr std::size_t kFixedHeaderSize = 12;
inline constexpr std::size_t kMaxContributingSources = 15;

// The header extension of a packet: <sluice/rtp/extension.h> reads and writes its elements.
struct HeaderExtension {
  std::uint16_t profile = 0;  // which form the body has (RFC 8285 section 4)
  Bytes body = {};            // a multiple of 4 bytes
};

// What read_packet() finds. Its spans point into the packet.
struct Packet {
  bool marker = false;
  PayloadType payload_type{};
  SequenceNumber sequence_number{};
  Timestamp timestamp{};
  Ssrc ssrc{};
  ItemList<Ssrc> contributing_sources = {};  // up to 15
  // An extension may be there and be empty.
  bool has_extension = false;
  HeaderExtension extension = {};
  Bytes payload = {};             // without padding
  std::uint8_t padding_size = 0;  // 0 to 255 bytes
};

// Checks all lengths of the header and the padding. Elements of the header extension are checked
// when they are read. Errors: too_short, wrong_version, bad_count (of contributing sources),
// bad_length (of the extension), bad_padding.
Result<Packet> read_packet(Bytes packet);

// Writes header, payload and padding to the start of `out`; returns their size. The spans of
// `packet` must not overlap `out`. Errors: buffer_too_small, too_many_items, out_of_range (payload
// type above 127), too_long (an extension above 262,140 bytes or not of whole 32-bit words).
WriteResult<std::size_t> write_packet(const Packet& packet, MutableBytes out);

// These change one field in place. Precondition: read_packet() accepts `packet`.
void set_marker(MutableBytes packet, bool marker);
void set_payload_type(MutableBytes packet, PayloadType type);  // 0 to 127
void set_sequence_number(MutableBytes packet, SequenceNumber value);
void set_timestamp(MutableBytes packet, Timestamp value);
void set_ssrc(MutableBytes packet, Ssrc ssrc);

}  // namespace sluice::rtp
