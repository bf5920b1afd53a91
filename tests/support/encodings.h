// Every encoder of a message, an extension or a stored form, with the sizes of its variable fields
// as arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::test {

// The sizes of the variable fields, in the order of Encoding::maxima.
using Sizes = std::span<const std::uint64_t>;

enum class EncodingOutcome : std::uint8_t {
  refused,  // the encoder wrote nothing
  same,     // the decoder gave back what was encoded
  differs,  // anything else
};

struct Encoding {
  const char* name;
  // The largest size of each field while the others are small.
  std::vector<std::uint64_t> maxima;
  // Whether the RFC, or the stored form, has a place for fields of these sizes.
  bool (*fits)(Sizes);
  // Encodes a value with fields of these sizes and decodes the result.
  EncodingOutcome (*attempt)(Sizes);
};

// Of messages and extensions.
std::span<const Encoding> message_encodings();
// Of what is stored or given to a client to keep: sessions, states, tickets, cookies.
std::span<const Encoding> stored_encodings();

}  // namespace sluice::test
