#include <algorithm>

#include <sluice/rtp/transport_feedback.h>

#include "byte_order.h"

namespace sluice::rtp {
namespace {

// Section 3.1.1. The fourth value of the two bits is reserved.
enum class Symbol : std::uint8_t {
  not_received = 0,
  small_delta = 1,
  large_delta = 2,
  reserved = 3
};

constexpr std::uint16_t kVectorBit = 0x8000;
constexpr std::uint16_t kTwoBitSymbols = 0x4000;
constexpr std::size_t kMaxRun = 0x1fff;
constexpr std::size_t kOneBitSymbols = 14;
constexpr std::size_t kTwoBitCount = 7;
constexpr std::size_t kChunkSize = 2;
constexpr std::size_t kMaxPadding = 3;

bool is_vector(std::uint16_t chunk) { return (chunk & kVectorBit) != 0; }

std::size_t symbols_of(std::uint16_t chunk) {
  if (!is_vector(chunk)) return chunk & kMaxRun;
  return (chunk & kTwoBitSymbols) != 0 ? kTwoBitCount : kOneBitSymbols;
}

// The symbol with `left` symbols of the chunk to go, itself included.
Symbol symbol_of(std::uint16_t chunk, std::size_t left) {
  if (!is_vector(chunk)) return Symbol{static_cast<std::uint8_t>(chunk >> 13 & 3)};
  const bool two_bits = (chunk & kTwoBitSymbols) != 0;
  const std::size_t shift = (left - 1) * (two_bits ? 2 : 1);
  return Symbol{static_cast<std::uint8_t>(chunk >> shift & (two_bits ? 3 : 1))};
}

std::size_t delta_size(Symbol symbol) { return static_cast<std::size_t>(symbol); }

Symbol symbol_of(const PacketStatus& status) {
  if (!status.delta) return Symbol::not_received;
  return *status.delta >= 0 && *status.delta <= 255 ? Symbol::small_delta : Symbol::large_delta;
}

// Turns statuses into chunks: calls `chunk` with each.
template <class OnChunk>
void for_each_chunk(std::span<const PacketStatus> statuses, OnChunk&& on_chunk) {
  while (!statuses.empty()) {
    const Symbol first = symbol_of(statuses.front());
    const auto other = std::ranges::find_if(
        statuses.first(std::min(statuses.size(), kMaxRun)),
        [first](const PacketStatus& status) { return symbol_of(status) != first; });
    const auto run = static_cast<std::size_t>(other - statuses.begin());
    const auto next = statuses.first(std::min(statuses.size(), kOneBitSymbols));
    const bool one_bit = std::ranges::none_of(
        next, [](const PacketStatus& status) { return symbol_of(status) == Symbol::large_delta; });
    const std::size_t vector = std::min(next.size(), one_bit ? kOneBitSymbols : kTwoBitCount);
    if (run >= vector) {
      on_chunk(static_cast<std::uint16_t>(static_cast<std::size_t>(first) << 13 | run));
      statuses = statuses.subspan(run);
      continue;
    }
    const std::size_t capacity = one_bit ? kOneBitSymbols : kTwoBitCount;
    const std::size_t bits = one_bit ? 1 : 2;
    std::uint16_t chunk = one_bit ? kVectorBit : kVectorBit | kTwoBitSymbols;
    for (std::size_t i = 0; i < vector; ++i) {
      chunk |= static_cast<std::uint16_t>(static_cast<unsigned>(symbol_of(statuses[i]))
                                          << bits * (capacity - 1 - i));
    }
    on_chunk(chunk);
    statuses = statuses.subspan(vector);
  }
}

}  // namespace

std::optional<PacketStatus> PacketStatuses::Cursor::next() {
  if (!statuses_.empty()) {
    const PacketStatus status = statuses_.front();
    statuses_ = statuses_.subspan(1);
    return status;
  }
  if (left_ == 0) return std::nullopt;
  while (symbols_ == 0) {
    chunk_ = load_u16(chunks_, 0);
    chunks_ = chunks_.subspan(kChunkSize);
    symbols_ = symbols_of(chunk_);
  }
  const Symbol symbol = symbol_of(chunk_, symbols_);
  --symbols_;
  --left_;
  if (symbol == Symbol::not_received) return PacketStatus{};
  const PacketStatus status{.delta = symbol == Symbol::small_delta
                                         ? std::int16_t{load_u8(deltas_, 0)}
                                         : static_cast<std::int16_t>(load_u16(deltas_, 0))};
  deltas_ = deltas_.subspan(delta_size(symbol));
  return status;
}

Result<PacketStatuses> PacketStatuses::read(Bytes bytes, std::size_t count) {
  std::size_t deltas = 0;
  std::size_t offset = 0;
  for (std::size_t left = count; left > 0; offset += kChunkSize) {
    if (bytes.size() - offset < kChunkSize) return tl::unexpected(Malformed::bad_count);
    const std::uint16_t chunk = load_u16(bytes, offset);
    // The last chunk may hold more symbols than there are packets.
    const std::size_t symbols = std::min(left, symbols_of(chunk));
    if (is_vector(chunk)) {
      for (std::size_t i = 0; i < symbols; ++i) {
        const Symbol symbol = symbol_of(chunk, symbols_of(chunk) - i);
        if (symbol == Symbol::reserved) return tl::unexpected(Malformed::bad_value);
        deltas += delta_size(symbol);
      }
    } else {
      const Symbol symbol = symbol_of(chunk, 1);
      if (symbol == Symbol::reserved) return tl::unexpected(Malformed::bad_value);
      deltas += symbols * delta_size(symbol);
    }
    left -= symbols;
  }
  const std::size_t rest = bytes.size() - offset;
  if (rest < deltas || rest - deltas > kMaxPadding) return tl::unexpected(Malformed::bad_length);
  PacketStatuses statuses;
  statuses.chunks_ = bytes.first(offset);
  statuses.deltas_ = bytes.subspan(offset, deltas);
  statuses.count_ = count;
  return statuses;
}

std::size_t PacketStatuses::encoded_size() const {
  if (statuses_.empty()) return chunks_.size() + deltas_.size();
  std::size_t size = 0;
  for_each_chunk(statuses_, [&size](std::uint16_t) { size += kChunkSize; });
  for (const PacketStatus& status : statuses_) size += delta_size(symbol_of(status));
  return size;
}

void PacketStatuses::write(MutableBytes out) const {
  if (statuses_.empty()) {
    std::ranges::copy(chunks_, out.begin());
    std::ranges::copy(deltas_, out.subspan(chunks_.size()).begin());
    return;
  }
  std::size_t offset = 0;
  for_each_chunk(statuses_, [&](std::uint16_t chunk) {
    store_u16(out, offset, chunk);
    offset += kChunkSize;
  });
  for (const PacketStatus& status : statuses_) {
    const Symbol symbol = symbol_of(status);
    if (symbol == Symbol::small_delta) {
      store_u8(out, offset, static_cast<std::uint8_t>(*status.delta));
    } else if (symbol == Symbol::large_delta) {
      store_u16(out, offset, static_cast<std::uint16_t>(*status.delta));
    }
    offset += delta_size(symbol);
  }
}

Walk<PacketStatuses::Cursor> PacketStatuses::begin() const {
  Cursor cursor;
  cursor.statuses_ = statuses_;
  cursor.chunks_ = chunks_;
  cursor.deltas_ = deltas_;
  cursor.left_ = statuses_.empty() ? count_ : 0;
  return Walk<Cursor>(cursor);
}

}  // namespace sluice::rtp
