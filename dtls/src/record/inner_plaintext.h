// The encrypted part of records with a hidden content type: TLSInnerPlaintext of DTLS 1.3 (RFC 8446
// section 5.2) and DTLSInnerPlaintext of DTLS 1.2 with a connection ID (RFC 9146 section 4). Both
// consist of contents, content type, and zeros for padding.
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

// Fills `out` completely: `contents`, their type, and padding for the rest. `contents` may start at
// the same address as `out`; otherwise they must not overlap.
inline void write_inner_plaintext(wire::ContentType type, Bytes contents, MutableBytes out) {
  if (!contents.empty()) std::memmove(out.data(), contents.data(), contents.size());
  out[contents.size()] = static_cast<std::byte>(type);
  std::ranges::fill(out.subspan(contents.size() + kInnerTypeSize), std::byte{0});
}

// Finds type and contents in `inner`. Type 0 means that there are only zeros, which the receiver
// must refuse. An inner plaintext that is too long for contents of `max_contents` and their type,
// padding included (RFC 8446 section 5.4), is returned whole as contents, which then exceed the
// limit as well.
inline InnerPlaintext strip_inner_plaintext(MutableBytes inner, std::size_t max_contents) {
  if (inner.size() > max_contents + kInnerTypeSize) return {{}, inner};
  std::size_t size = inner.size();
  while (size > 0 && inner[size - 1] == std::byte{0}) --size;
  if (size == 0) return {};
  return {static_cast<wire::ContentType>(inner[size - 1]), inner.first(size - 1)};
}

}  // namespace sluice::dtls::record
