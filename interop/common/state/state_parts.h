// The parts of a state: CBOR, and bytes that are secrets, each behind its size.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>

#include <sluice/dtls/bytes.h>

namespace sluice::interop {

using Cbor = nlohmann::json;

dtls::Buffer to_bytes(const Cbor& value);
void append_sized(dtls::Buffer& out, dtls::Bytes bytes);

// Takes the parts off the front. Throws std::exception where one is missing or malformed.
class PartReader {
 public:
  explicit PartReader(dtls::Bytes bytes) : rest_(bytes) {}

  dtls::Bytes bytes(std::size_t size);
  dtls::Bytes sized();
  Cbor part();
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  dtls::Bytes rest_;
};

}  // namespace sluice::interop
