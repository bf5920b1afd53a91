#include "common/state/state_parts.h"

#include <cstdint>
#include <span>
#include <stdexcept>

#include "common/state/stored_numbers.h"

namespace sluice::interop {

dtls::Buffer to_bytes(const Cbor& value) {
  const auto bytes = Cbor::to_cbor(value);
  const auto view = std::as_bytes(std::span(bytes));
  return {view.begin(), view.end()};
}

void append_sized(dtls::Buffer& out, dtls::Bytes bytes) {
  append_u32(out, static_cast<std::uint32_t>(bytes.size()));
  append(out, bytes);
}

dtls::Bytes PartReader::bytes(std::size_t size) {
  if (size > rest_.size()) throw std::out_of_range("truncated");
  const dtls::Bytes taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

dtls::Bytes PartReader::sized() { return bytes(load_u32(bytes(4), 0)); }

Cbor PartReader::part() {
  const dtls::Bytes part = sized();
  const auto* data = reinterpret_cast<const std::uint8_t*>(part.data());
  return Cbor::from_cbor(data, data + part.size());
}

}  // namespace sluice::interop
