// Extensions that are a list of 16 bit code points: supported_groups, signature_algorithms (RFC
// 8422 section 5.1.1, RFC 5246 section 7.4.1.4.1) and supported_versions (RFC 8446 section 4.2.1).
#pragma once

#include <optional>

#include "message/extension_block.h"
#include "wire/code_list.h"

namespace sluice::dtls::message {

// The bytes of the length that precedes the list.
enum class ListWidth : std::uint8_t { one = 1, two = 2 };

// Empty when malformed: for an empty list, an odd size, or bytes after the list.
template <class Code>
std::optional<wire::CodeList<Code>> decode_code_list(Bytes data, ListWidth width) {
  wire::Reader reader(data);
  const Bytes codes = width == ListWidth::one ? reader.vector8() : reader.vector16();
  if (!reader.complete() || codes.empty() || codes.size() % 2 != 0) return std::nullopt;
  return wire::CodeList<Code>(codes);
}

template <class Range>
void put_code_list_extension(wire::Writer& out, wire::ExtensionType type, const Range& codes) {
  put_extension(out, type, [&](wire::Writer& data) {
    const auto list = data.vector16({.min = 2});
    for (const auto code : codes) data.code(code);
  });
}

}  // namespace sluice::dtls::message
