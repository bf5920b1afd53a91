#include "load/payload_front.h"

#include <algorithm>
#include <array>

namespace sluice::interop::load {
namespace {

// RFC 6716 section 3.1: CELT, fullband, 20 ms; mono; one frame, which may have any bytes.
constexpr std::byte kOpusToc{31U << 3};

// RFC 7741 section 4.2, first octet.
constexpr std::byte kExtended{0x80};
constexpr std::byte kBeginsPartition{0x10};
constexpr std::byte kPartitionMask{0x0f};
// The second one: which fields follow.
constexpr std::byte kPictureId{0x80};
constexpr std::byte kTl0PicIdx{0x40};
constexpr std::byte kTidOrKeyIdx{0x30};
constexpr std::byte kLongPictureId{0x80};

// RFC 6386 section 9.1: the frame tag, and what a key frame has behind it. The picture has 640 x
// 360 pixels; it is never decoded.
constexpr std::array kKeyFrame = {
    std::byte{0x10}, std::byte{0x00}, std::byte{0x00}, std::byte{0x9d}, std::byte{0x01},
    std::byte{0x2a}, std::byte{0x80}, std::byte{0x02}, std::byte{0x68}, std::byte{0x01}};
constexpr std::array kInterFrame = {std::byte{0x11}, std::byte{0x00}, std::byte{0x00}};
constexpr std::byte kIsInterFrame{0x01};

bool has(std::byte byte, std::byte bits) { return (byte & bits) != std::byte{0}; }

// The size of the descriptor; may lie beyond the end of the payload.
std::size_t descriptor_size(rtp::Bytes payload) {
  if (payload.size() < 3 || !has(payload[0], kExtended)) return 1;
  std::size_t size = 2;
  if (has(payload[1], kPictureId)) size += has(payload[2], kLongPictureId) ? 2U : 1U;
  if (has(payload[1], kTl0PicIdx)) ++size;
  if (has(payload[1], kTidOrKeyIdx)) ++size;
  return size;
}

}  // namespace

std::size_t write_front(const PayloadFront& front, rtp::MutableBytes out) {
  if (front.kind == SectionKind::audio) {
    out[0] = kOpusToc;
    return 1;
  }
  out[0] = kExtended | (front.begins_frame ? kBeginsPartition : std::byte{0});
  out[1] = kPictureId;
  out[2] = kLongPictureId | static_cast<std::byte>(front.picture >> 8 & 0x7f);
  out[3] = static_cast<std::byte>(front.picture & 0xff);
  constexpr std::size_t kDescriptor = 4;
  if (!front.begins_frame) return kDescriptor;
  const rtp::Bytes tag = front.is_key_frame ? rtp::Bytes(kKeyFrame) : rtp::Bytes(kInterFrame);
  std::ranges::copy(tag, out.subspan(kDescriptor).begin());
  return kDescriptor + tag.size();
}

std::optional<FrontRead> read_front(SectionKind kind, rtp::Bytes payload) {
  if (payload.empty()) return std::nullopt;
  if (kind == SectionKind::audio) return FrontRead{.size = 1};
  FrontRead front{.size = descriptor_size(payload)};
  if (has(payload[0], kBeginsPartition) && !has(payload[0], kPartitionMask)) {
    if (payload.size() <= front.size) return std::nullopt;
    front.is_key_frame = !has(payload[front.size], kIsInterFrame);
    front.size += front.is_key_frame ? kKeyFrame.size() : kInterFrame.size();
  }
  if (payload.size() < front.size) return std::nullopt;
  return front;
}

}  // namespace sluice::interop::load
