#include "load/stamp.h"

#include <cstring>

namespace sluice::interop::load {
namespace {

constexpr std::uint64_t kMagic = 0x736c'7569'6365'2d31;  // "sluice-1"
// Magic, source and media time, number, time, size: the words before the checksum.
constexpr std::size_t kChecksumAt = 32;
constexpr std::size_t kWord = 8;

// In network byte order.
std::uint64_t read_word(rtp::Bytes bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes.subspan(at, kWord)) {
    value = value << 8 | std::to_integer<std::uint64_t>(byte);
  }
  return value;
}

void write_word(rtp::MutableBytes bytes, std::size_t at, std::uint64_t value) {
  for (std::size_t i = 0; i < kWord; ++i) {
    bytes[at + i] = static_cast<std::byte>(value >> (8 * (kWord - 1 - i)) & 0xff);
  }
}

// Fletcher's checksum over words of 64 bits: two sums, of which the second depends on the places of
// the words. A CRC would cost ten times as much for each of a thousand viewers. The words have the
// byte order of the machine: both ends are on machines of one kind.
struct Sums {
  std::uint64_t plain = 1;
  std::uint64_t weighted = 0;

  void add(rtp::Bytes bytes) {
    for (; bytes.size() >= kWord; bytes = bytes.subspan(kWord)) add_word(bytes.first(kWord));
    if (!bytes.empty()) add_word(bytes);
  }

 private:
  void add_word(rtp::Bytes bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), bytes.size());
    plain += word;
    weighted += plain;
  }
};

Sums sums_of(rtp::Bytes bytes) {
  Sums sums;
  sums.add(bytes.first(kChecksumAt));
  sums.add(bytes.subspan(kStampSize));
  return sums;
}

}  // namespace

void write_stamp(const Stamp& stamp, rtp::MutableBytes out) {
  write_word(out, 0, kMagic ^ out.size());
  write_word(out, 8,
             std::uint64_t{static_cast<std::uint32_t>(stamp.source)} << 32 |
                 rtp::number(stamp.media_time));
  write_word(out, 16, stamp.number);
  write_word(out, 24, static_cast<std::uint64_t>(stamp.sent.time_since_epoch().count()));
  // A generator of Knuth (MMIX): no two packets have the same bytes.
  std::uint64_t filler = stamp.number ^ static_cast<std::uint32_t>(stamp.source);
  for (std::size_t at = kStampSize; at < out.size(); ++at) {
    if (at % kWord == 0) filler = filler * 6364136223846793005U + 1442695040888963407U;
    out[at] = static_cast<std::byte>(filler >> (8 * (at % kWord)) & 0xff);
  }
  const Sums sums = sums_of(out);
  write_word(out, kChecksumAt, sums.plain);
  write_word(out, kChecksumAt + kWord, sums.weighted);
}

std::optional<Stamp> read_stamp(rtp::Bytes bytes) {
  if (bytes.size() < kStampSize || read_word(bytes, 0) != (kMagic ^ bytes.size())) {
    return std::nullopt;
  }
  const Sums sums = sums_of(bytes);
  if (read_word(bytes, kChecksumAt) != sums.plain ||
      read_word(bytes, kChecksumAt + kWord) != sums.weighted) {
    return std::nullopt;
  }
  const std::uint64_t names = read_word(bytes, 8);
  return Stamp{
      .source = SourceId{static_cast<std::uint32_t>(names >> 32)},
      .number = read_word(bytes, 16),
      .sent = dtls::Instant(dtls::Duration(static_cast<std::int64_t>(read_word(bytes, 24)))),
      .media_time = rtp::Timestamp{static_cast<std::uint32_t>(names)}};
}

}  // namespace sluice::interop::load
