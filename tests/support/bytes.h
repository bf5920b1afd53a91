// Bytes for tests: from hexadecimal, from text, from a seed.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/random_source.h>

#include <cstdint>
#include <initializer_list>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sluice::test {

// Pairs of digits, between which spaces may stand.
inline dtls::Buffer from_hex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ') digits.push_back(c);
  }
  if (digits.size() % 2 != 0) throw std::invalid_argument("odd number of digits");
  dtls::Buffer bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

inline std::string to_hex(dtls::Bytes bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text.push_back(kDigits[std::to_integer<std::size_t>(byte >> 4)]);
    text.push_back(kDigits[std::to_integer<std::size_t>(byte & std::byte{15})]);
  }
  return text;
}

// The text's bytes, for as long as it lives.
inline dtls::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
inline dtls::Buffer buffer_of(std::string_view text) {
  return {bytes_of(text).begin(), bytes_of(text).end()};
}

// Of exactly its size on the heap, so that AddressSanitizer sees a read beyond its end.
inline dtls::Buffer copy_of(dtls::Bytes bytes) { return {bytes.begin(), bytes.end()}; }

inline dtls::Buffer joined(std::initializer_list<dtls::Bytes> parts) {
  dtls::Buffer whole;
  for (const dtls::Bytes part : parts) whole.insert(whole.end(), part.begin(), part.end());
  return whole;
}

// 0, 1, 2, ... 255, 0, ...
inline dtls::Buffer counted(std::size_t size) {
  dtls::Buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i);
  return bytes;
}

// The same seed gives the same bytes on every machine.
class SeededRandom : public dtls::RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(dtls::MutableBytes out) override {
    for (std::byte& byte : out) byte = static_cast<std::byte>(engine_());
  }
  void restart(std::uint64_t seed) { engine_.seed(seed); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace sluice::test
