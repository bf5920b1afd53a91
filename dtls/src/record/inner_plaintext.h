// What is encrypted of records whose content type is hidden: TLSInnerPlaintext of DTLS 1.3 (RFC
// 8446 section 5.2) and DTLSInnerPlaintext of DTLS 1.2 with a connection ID (RFC 9146 section 4).
// Both are contents, content type, and zeros for padding.
#pragma once

#include <algorithm>
#include <cstring>

#include <sluice/dtls/bytes.h>

#include "wire/types.h"

namespace sluice::dtls::record {

inline constexpr std::size_t kInnerTypeSize = 1;

struct InnerPlaintext {
  wire::ContentType type{};
  MutableBytes contents;
};

// Fills all of `out`, which has room for `contents` and their type; the rest becomes padding.
// `contents` may lie at the begin of `out`, else they do not overlap it.
inline void write_inner_plaintext(wire::ContentType type, Bytes contents, MutableBytes out) {
  if (!contents.empty()) std::memmove(out.data(), contents.data(), contents.size());
  out[contents.size()] = static_cast<std::byte>(type);
  std::ranges::fill(out.subspan(contents.size() + kInnerTypeSize), std::byte{0});
}

// Finds type and contents in `inner`. Type 0 says that there are only zeros, which the receiver
// must refuse. An inner plaintext that is longer than contents of `max_contents` and their type,
// padding included (RFC 8446 section 5.4), comes back whole as contents: they exceed the limit too.
inline InnerPlaintext strip_inner_plaintext(MutableBytes inner, std::size_t max_contents) {
  if (inner.size() > max_contents + kInnerTypeSize) return {{}, inner};
  std::size_t size = inner.size();
  while (size > 0 && inner[size - 1] == std::byte{0}) --size;
  if (size == 0) return {};
  return {static_cast<wire::ContentType>(inner[size - 1]), inner.first(size - 1)};
}

}  // namespace sluice::dtls::record
