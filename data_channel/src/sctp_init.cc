#include <sluice/data_channel/sctp_init.h>

#include <algorithm>
#include <cstdint>

#include "init_chunk.h"

namespace sluice::data_channel {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kPad = '=';
constexpr std::size_t kBytes = 3;       // of a group
constexpr std::size_t kCharacters = 4;  // that stand for them
constexpr unsigned kBits = 6;           // of a character

// Strict, as RFC 4648 section 3 recommends: no other characters, whole groups, unused bits 0.
std::optional<Buffer> decode_base64(std::string_view text) {
  if (text.size() % kCharacters != 0) return std::nullopt;
  const auto padding = text.size() - (text.find_last_not_of(kPad) + 1);
  if (padding >= kBytes) return std::nullopt;
  Buffer bytes;
  bytes.reserve(text.size() / kCharacters * kBytes);
  std::uint32_t waiting = 0;
  unsigned bits = 0;
  for (const char character : text.substr(0, text.size() - padding)) {
    const auto value = kAlphabet.find(character);
    if (value == std::string_view::npos) return std::nullopt;
    waiting = waiting << kBits | static_cast<std::uint32_t>(value);
    bits += kBits;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(std::byte(waiting >> bits & 0xff));
  }
  if ((waiting & ((1U << bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace

std::string write_sctp_init(Bytes init) {
  std::string text;
  text.reserve((init.size() + kBytes - 1) / kBytes * kCharacters);
  for (; !init.empty(); init = init.subspan(std::min(kBytes, init.size()))) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < kBytes; ++i) {
      group = group << 8 | (i < init.size() ? load_u8(init, i) : 0U);
    }
    for (std::size_t i = 0; i < kCharacters; ++i) {
      const auto value = group >> (kBits * (kCharacters - 1 - i)) & 0x3f;
      text += i <= init.size() ? kAlphabet[value] : kPad;
    }
  }
  return text;
}

std::optional<dtls::Buffer> read_sctp_init(std::string_view value) {
  if (value.size() > kMaxInit / kBytes * kCharacters + kCharacters) return std::nullopt;
  auto chunk = decode_base64(value);
  if (!chunk || !is_init_chunk(*chunk)) return std::nullopt;
  return chunk;
}

}  // namespace sluice::data_channel
