// The ec_point_formats extension (RFC 8422 section 5.1.2).
#pragma once

#include <algorithm>

#include "message/extension_block.h"

namespace sluice::dtls::message {

inline constexpr std::byte kUncompressedPointFormat{0};

// Whether the list is well formed.
inline bool is_point_format_list(Bytes data) {
  wire::Reader reader(data);
  return !reader.vector8().empty() && reader.complete();
}

// Whether a well formed list contains the uncompressed format, which is mandatory.
inline bool has_uncompressed_format(Bytes data) {
  const Bytes formats = wire::Reader(data).vector8();
  return std::ranges::find(formats, kUncompressedPointFormat) != formats.end();
}

inline void put_point_formats(wire::Writer& out) {
  put_extension(out, wire::ExtensionType::ec_point_formats, [](wire::Writer& data) {
    const auto list = data.vector8();
    data.u8(0);
  });
}

}  // namespace sluice::dtls::message
