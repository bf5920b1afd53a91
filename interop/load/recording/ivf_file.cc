#include "load/recording/ivf_file.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace sluice::interop::load {
namespace {

constexpr std::size_t kHeader = 32;
constexpr std::size_t kFrameHeader = 12;
constexpr std::string_view kSignature = "DKIF";

// In little-endian order.
std::uint64_t read_number(rtp::Bytes bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + i]);
  }
  return value;
}

std::string read_text(rtp::Bytes bytes, std::size_t at, std::size_t size) {
  std::string text;
  for (const std::byte each : bytes.subspan(at, size)) text += static_cast<char>(each);
  return text;
}

tl::unexpected<std::string> no_ivf(const std::string& why) {
  return tl::unexpected("no IVF: " + why);
}

}  // namespace

tl::expected<IvfFile, std::string> read_ivf(rtp::Bytes file) {
  if (file.size() < kHeader || read_text(file, 0, kSignature.size()) != kSignature) {
    return no_ivf("it does not begin with DKIF and a header of 32 bytes");
  }
  if (read_number(file, 4, 2) != 0 || read_number(file, 6, 2) != kHeader) {
    return no_ivf("another version than 0, or another header than one of 32 bytes");
  }
  IvfFile ivf{.codec = read_text(file, 8, 4),
              .rate = static_cast<std::uint32_t>(read_number(file, 16, 4)),
              .scale = static_cast<std::uint32_t>(read_number(file, 20, 4)),
              .frames = {}};
  if (ivf.rate == 0 || ivf.scale == 0) return no_ivf("its unit of time is 0");
  for (auto rest = file.subspan(kHeader); !rest.empty();) {
    const std::string frame = "frame " + std::to_string(ivf.frames.size());
    if (rest.size() < kFrameHeader) return no_ivf(frame + " has no whole header");
    const std::uint64_t size = read_number(rest, 0, 4);
    const std::uint64_t time = read_number(rest, 4, 8);
    rest = rest.subspan(kFrameHeader);
    if (size == 0 || size > rest.size()) {
      return no_ivf(frame + " says that it has " + std::to_string(size) + " bytes, and " +
                    std::to_string(rest.size()) + " follow");
    }
    if (!ivf.frames.empty() && time <= ivf.frames.back().time) {
      return no_ivf(frame + " is not later than the one before");
    }
    ivf.frames.push_back({.time = time, .data = rest.first(size)});
    rest = rest.subspan(size);
  }
  if (ivf.frames.empty()) return no_ivf("it has no frame");
  return ivf;
}

}  // namespace sluice::interop::load
