// Why a packet is not read, or not written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

namespace sluice::rtp {

// What is wrong with a packet of the peer. Drop it and count it by this reason.
enum class Malformed : std::uint8_t {
  too_short,      // shorter than the fixed part of its header
  wrong_version,  // the version is not 2
  bad_length,     // a length field points beyond the end of the packet
  bad_count,      // more items are counted than there is room for
  bad_padding,    // the padding is 0, or longer than what it is part of
  bad_extension,  // an element of the header extension does not fit into it (RFC 8285)
  bad_text,       // a MID, RID or SDES text has a forbidden size or character
  bad_value,      // a reserved value where it has no meaning, or a number out of range
  no_report,      // a compound does not start with a report (RFC 3550 section 6.1)
};
inline constexpr std::size_t kMalformedReasons = 9;

// Why nothing was written. The caller has passed values that the format can't hold.
enum class WriteError : std::uint8_t {
  buffer_too_small,
  too_many_items,  // above what the count field holds
  too_long,        // a text or a value is longer than its length field can say
  out_of_range,    // a number that the field can't hold
  no_report,       // the first packet of a compound is not a report (RFC 3550 section 6.1)
};

std::string_view to_string(Malformed reason);
std::string_view to_string(WriteError error);

template <class T>
using Result = tl::expected<T, Malformed>;
template <class T>
using WriteResult = tl::expected<T, WriteError>;

}  // namespace sluice::rtp
