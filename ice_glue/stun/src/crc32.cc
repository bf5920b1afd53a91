#include <sluice/stun/crc32.h>

#include <array>
#include <cstddef>

namespace sluice::stun {
namespace {

constexpr std::uint32_t kPolynomial = 0xedb88320;
constexpr std::size_t kSlices = 8;
using Table = std::array<std::uint32_t, 256>;

// Table 0 is for one byte; table n for a byte that n bytes follow, so that eight bytes take eight
// look-ups that do not wait for each other.
constexpr std::array<Table, kSlices> make_tables() {
  std::array<Table, kSlices> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    }
    tables[0][byte] = value;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t shorter = tables[slice - 1][byte];
      tables[slice][byte] = (shorter >> 8) ^ tables[0][shorter & 0xff];
    }
  }
  return tables;
}
constexpr std::array<Table, kSlices> kTables = make_tables();

std::uint32_t little_endian32(const std::byte* bytes) {
  return std::to_integer<std::uint32_t>(bytes[0]) | std::to_integer<std::uint32_t>(bytes[1]) << 8 |
         std::to_integer<std::uint32_t>(bytes[2]) << 16 |
         std::to_integer<std::uint32_t>(bytes[3]) << 24;
}

// What four bytes add, of which the last is followed by `after` more.
std::uint32_t slices(std::uint32_t word, std::size_t after) {
  return kTables[after + 3][word & 0xff] ^ kTables[after + 2][word >> 8 & 0xff] ^
         kTables[after + 1][word >> 16 & 0xff] ^ kTables[after][word >> 24];
}

}  // namespace

std::uint32_t crc32(dtls::Bytes bytes) {
  std::uint32_t crc = 0xffffffff;
  for (; bytes.size() >= kSlices; bytes = bytes.subspan(kSlices)) {
    const std::uint32_t first = little_endian32(bytes.data()) ^ crc;
    const std::uint32_t second = little_endian32(bytes.data() + 4);
    crc = slices(first, 4) ^ slices(second, 0);
  }
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
  }
  return ~crc;
}

}  // namespace sluice::stun
