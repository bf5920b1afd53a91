// Values of any size for encodings.cc and stored_encodings.cc.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "support/bytes.h"
#include "support/encodings.h"
#include "wire/writer.h"

namespace sluice::test {

// The largest field has one byte more than 24 bits can count.
inline constexpr std::size_t kMaxFiller = (std::size_t{1} << 24) + 1;

inline dtls::Bytes filler(std::uint64_t size) {
  static const dtls::Buffer kBytes = counted(kMaxFiller);
  return dtls::Bytes(kBytes).first(size);
}
inline std::string text(std::uint64_t size) { return std::string(size, 'n'); }
template <class Code>
std::vector<Code> codes(std::uint64_t count) {
  return std::vector<Code>(count, Code{0x1234});
}
inline std::vector<dtls::Buffer> buffers(std::uint64_t count, std::uint64_t size) {
  return std::vector<dtls::Buffer>(count, copy_of(filler(size)));
}

// Faster than std::ranges::equal, without optimisation.
inline bool are_same(dtls::Bytes a, dtls::Bytes b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}
template <class List>
bool are_all(const List& list, std::uint64_t count, dtls::Bytes each) {
  if (list.size() != count) return false;
  for (const auto& entry : list) {
    if (!are_same(entry, each)) return false;
  }
  return true;
}
template <class CodeList>
bool counts(const CodeList& list, std::uint64_t count) {
  return list.bytes().size() == 2 * count;
}

// `put` writes the value; `is_it` says whether bytes decode to the value. What stands in the buffer
// before must stay, whether the encoder succeeds or not.
template <class Put, class IsIt>
EncodingOutcome round_trip(Put put, IsIt is_it) {
  const dtls::Buffer before = from_hex("abcdef");
  dtls::Buffer out = before;
  dtls::wire::Writer writer(out);
  put(writer);
  if (!are_same(dtls::Bytes(out).first(before.size()), before)) return EncodingOutcome::differs;
  const dtls::Bytes written = dtls::Bytes(out).subspan(before.size());
  if (!writer.ok()) return written.empty() ? EncodingOutcome::refused : EncodingOutcome::differs;
  return is_it(copy_of(written)) ? EncodingOutcome::same : EncodingOutcome::differs;
}

}  // namespace sluice::test
