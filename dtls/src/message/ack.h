// The ACK record (RFC 9147 section 7).
#pragma once

#include <compare>
#include <optional>
#include <span>
#include <vector>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

struct RecordNumber {
  wire::Epoch epoch{};
  wire::SequenceNumber sequence{};
  friend auto operator<=>(const RecordNumber&, const RecordNumber&) = default;
};

using RecordNumbers = std::vector<RecordNumber>;

// The count of record numbers in an ACK of this size.
constexpr std::size_t numbers_in_ack(std::size_t bytes) {
  constexpr std::size_t kLengthSize = 2;
  constexpr std::size_t kNumberSize = 16;
  return bytes < kLengthSize ? 0 : (bytes - kLengthSize) / kNumberSize;
}

// The record numbers in an ACK; empty when it is malformed.
inline std::optional<RecordNumbers> decode_ack(Bytes contents) {
  wire::Reader reader(contents);
  wire::Reader list(reader.vector16());
  if (!reader.complete()) return std::nullopt;
  RecordNumbers numbers;
  while (list.more()) {
    const auto epoch = list.code<wire::Epoch>();
    numbers.push_back({epoch, list.code<wire::SequenceNumber>()});
  }
  if (!list.complete()) return std::nullopt;
  return numbers;
}

inline void put_ack(wire::Writer& out, std::span<const RecordNumber> numbers) {
  const auto list = out.vector16();
  for (const RecordNumber& number : numbers) {
    out.code(number.epoch);
    out.code(number.sequence);
  }
}

}  // namespace sluice::dtls::message
