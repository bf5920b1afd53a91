#include "load/recording/av1_units.h"

#include <algorithm>
#include <cstdint>

namespace sluice::interop::load {
namespace {

// AV1 bitstream specification section 6.2.2.
constexpr unsigned kSequenceHeader = 1;
constexpr unsigned kTemporalDelimiter = 2;
constexpr unsigned kTileList = 8;
constexpr unsigned kPadding = 15;

constexpr unsigned kHasExtension = 0x04;
constexpr unsigned kHasSize = 0x02;

struct Unit {
  unsigned type = 0;
  dtls::Buffer bytes;  // without obu_size
};

// Section 4.10.5. Empty: it does not end, or has more than 32 bits.
std::optional<std::uint64_t> take_leb128(rtp::Bytes& bytes) {
  constexpr std::size_t kMostBytes = 8;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < std::min(bytes.size(), kMostBytes); ++i) {
    const auto byte = std::to_integer<std::uint64_t>(bytes[i]);
    value |= (byte & 0x7fU) << (7 * i);
    if ((byte & 0x80U) != 0) continue;
    bytes = bytes.subspan(i + 1);
    if (value > UINT32_MAX) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

std::size_t leb128_size(std::size_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

void add_leb128(dtls::Buffer& out, std::size_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::byte>((value & 0x7f) | 0x80));
  out.push_back(static_cast<std::byte>(value));
}

std::optional<std::vector<Unit>> read_units(rtp::Bytes rest) {
  std::vector<Unit> units;
  while (!rest.empty()) {
    const auto header = std::to_integer<unsigned>(rest[0]);
    const std::size_t header_size = (header & kHasExtension) != 0 ? 2 : 1;
    if ((header & 0x80U) != 0 || (header & kHasSize) == 0 || rest.size() < header_size) {
      return std::nullopt;
    }
    Unit unit{.type = header >> 3 & 0x0fU, .bytes = {}};
    unit.bytes.push_back(static_cast<std::byte>(header & ~kHasSize));
    if (header_size == 2) unit.bytes.push_back(rest[1]);
    rest = rest.subspan(header_size);
    const auto size = take_leb128(rest);
    if (!size || *size > rest.size()) return std::nullopt;
    const auto body = rest.first(*size);
    unit.bytes.insert(unit.bytes.end(), body.begin(), body.end());
    rest = rest.subspan(*size);
    units.push_back(std::move(unit));
  }
  return units;
}

bool is_sent(const Unit& unit) {
  return unit.type != kTemporalDelimiter && unit.type != kTileList && unit.type != kPadding;
}

}  // namespace

std::optional<bool> is_av1_key_frame(rtp::Bytes unit) {
  const auto units = read_units(unit);
  if (!units || std::ranges::none_of(*units, is_sent)) return std::nullopt;
  return std::ranges::find(*units, kSequenceHeader, &Unit::type) != units->end();
}

std::vector<dtls::Buffer> packetize_av1(rtp::Bytes unit, std::size_t most) {
  constexpr std::byte kContinues{0x80};       // Z: the first OBU began in the packet before
  constexpr std::byte kGoesOn{0x40};          // Y: the last OBU goes on in the next one
  constexpr std::byte kBeginsSequence{0x08};  // N
  constexpr std::size_t kLeastPiece = 2;      // a length and a byte
  const auto units = read_units(unit).value_or(std::vector<Unit>{});
  std::vector<dtls::Buffer> payloads;
  const bool is_key_frame = is_av1_key_frame(unit).value_or(false);
  payloads.push_back({is_key_frame ? kBeginsSequence : std::byte{0}});
  for (const Unit& each : units) {
    if (!is_sent(each)) continue;
    for (rtp::Bytes rest = each.bytes; !rest.empty();) {
      if (payloads.back().size() + kLeastPiece > most) {
        const bool is_cut = rest.size() < each.bytes.size();
        if (is_cut) payloads.back()[0] |= kGoesOn;
        payloads.push_back({is_cut ? kContinues : std::byte{0}});
      }
      const std::size_t room = most - payloads.back().size();
      std::size_t size = std::min(rest.size(), room - 1);
      while (size + leb128_size(size) > room) --size;
      add_leb128(payloads.back(), size);
      payloads.back().insert(payloads.back().end(), rest.begin(),
                             rest.begin() + static_cast<std::ptrdiff_t>(size));
      rest = rest.subspan(size);
      if (rest.empty()) continue;
      payloads.back()[0] |= kGoesOn;
      payloads.push_back({kContinues});
    }
  }
  return payloads;
}

}  // namespace sluice::interop::load
