#include "load/recording/packetizer.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "load/recording/av1_units.h"

namespace sluice::interop::load {
namespace {

bool has_bits(std::byte byte, unsigned bits) {
  return (std::to_integer<unsigned>(byte) & bits) != 0;
}

// Pieces of one size, so that they can leave in one piece, each behind a descriptor of one byte.
template <class Descriptor>
std::vector<dtls::Buffer> in_pieces(rtp::Bytes frame, std::size_t most, Descriptor descriptor) {
  const std::size_t count = (frame.size() + most - 2) / (most - 1);
  std::vector<dtls::Buffer> payloads;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = frame.size() * i / count;
    const std::size_t end = frame.size() * (i + 1) / count;
    dtls::Buffer payload{descriptor(i == 0, i + 1 == count)};
    const auto piece = frame.subspan(begin, end - begin);
    payload.insert(payload.end(), piece.begin(), piece.end());
    payloads.push_back(std::move(payload));
  }
  return payloads;
}

// RFC 6386 section 9.1: the lowest bit of the frame tag is 0; the start code follows.
std::optional<bool> is_vp8_key_frame(rtp::Bytes frame) {
  constexpr std::size_t kTag = 3;
  constexpr std::size_t kKeyFrameHeader = 10;
  if (frame.size() < kTag) return std::nullopt;
  if (has_bits(frame[0], 1)) return false;
  constexpr std::array kStartCode = {std::byte{0x9d}, std::byte{0x01}, std::byte{0x2a}};
  const bool is_whole = frame.size() >= kKeyFrameHeader &&
                        std::ranges::equal(frame.subspan(kTag, kStartCode.size()), kStartCode);
  return is_whole ? std::optional(true) : std::nullopt;
}

// RFC 7741 section 4.2: S, and partition 0 for all of the frame.
std::vector<dtls::Buffer> packetize_vp8(rtp::Bytes frame, std::size_t most) {
  return in_pieces(frame, most,
                   [](bool is_first, bool) { return is_first ? std::byte{0x10} : std::byte{0}; });
}

// VP9 bitstream specification section 6.2: frame marker, profile, show_existing_frame, frame_type.
std::optional<bool> is_vp9_key_frame(rtp::Bytes frame) {
  constexpr unsigned kMarker = 2;
  if (frame.empty() || std::to_integer<unsigned>(frame[0]) >> 6 != kMarker) return std::nullopt;
  const unsigned profile = vp9_profile(frame);
  if (profile == 3) return std::nullopt;  // none that is offered
  return !has_bits(frame[0], 0x08) && !has_bits(frame[0], 0x04);
}

// RFC 9628 section 4.2: P for what is predicted from other frames, B, E.
std::vector<dtls::Buffer> packetize_vp9(rtp::Bytes frame, std::size_t most) {
  const std::byte predicted =
      is_vp9_key_frame(frame).value_or(false) ? std::byte{0} : std::byte{0x40};
  return in_pieces(frame, most, [predicted](bool is_first, bool is_last) {
    return predicted | (is_first ? std::byte{0x08} : std::byte{0}) |
           (is_last ? std::byte{0x04} : std::byte{0});
  });
}

constexpr std::array kPacketizers = {
    Packetizer{"VP80", "VP8", is_vp8_key_frame, packetize_vp8},
    Packetizer{"VP90", "VP9", is_vp9_key_frame, packetize_vp9},
    Packetizer{"AV01", "AV1", is_av1_key_frame, packetize_av1},
};

}  // namespace

const Packetizer* packetizer_of(std::string_view fourcc) {
  const auto* const found = std::ranges::find(kPacketizers, fourcc, &Packetizer::fourcc);
  return found == kPacketizers.end() ? nullptr : found;
}

unsigned vp9_profile(rtp::Bytes frame) {
  const auto byte = std::to_integer<unsigned>(frame[0]);
  return (byte >> 5 & 1U) | (byte >> 3 & 2U);
}

}  // namespace sluice::interop::load
