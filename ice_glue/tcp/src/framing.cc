#include <sluice/tcp/framing.h>

#include <algorithm>
#include <bit>

namespace sluice::tcp {
namespace {

// The first memory for a frame that has not come at once.
constexpr std::size_t kLeastKept = 64;

std::size_t length_of(dtls::Bytes frame) {
  return std::to_integer<std::size_t>(frame[0]) << 8 | std::to_integer<std::size_t>(frame[1]);
}

}  // namespace

tl::expected<std::optional<dtls::MutableBytes>, FramingError> Deframer::next(
    dtls::MutableBytes& input) {
  if (is_given_) kept_.clear();
  is_given_ = false;
  while (!has_failed_ && !input.empty()) {
    if (kept_.size() < kLengthSize && (!kept_.empty() || input.size() < kLengthSize)) {
      keep(input, kLengthSize - kept_.size());
      if (kept_.size() < kLengthSize) break;
    }
    const std::size_t length = length_of(kept_.empty() ? dtls::Bytes(input) : dtls::Bytes(kept_));
    if (length > max_frame_) {
      has_failed_ = true;
      break;
    }
    const std::size_t size = kLengthSize + length;
    if (kept_.empty() && (input.size() >= size || length == 0)) {
      const auto datagram = input.subspan(kLengthSize, length);
      input = input.subspan(size);
      if (length != 0) return datagram;
      ++null_frames_;
      continue;
    }
    keep(input, size - kept_.size());
    if (kept_.size() < size) break;
    if (length != 0) {
      is_given_ = true;
      return dtls::MutableBytes(kept_).subspan(kLengthSize);
    }
    ++null_frames_;
    kept_.clear();
  }
  if (has_failed_) return tl::unexpected(FramingError::frame_too_large);
  return std::nullopt;
}

void Deframer::keep(dtls::MutableBytes& input, std::size_t count) {
  count = std::min(count, input.size());
  const std::size_t size = kept_.size() + count;
  if (size > kept_.capacity()) {
    kept_.reserve(std::min(std::max(kLeastKept, std::bit_ceil(size)), kLengthSize + max_frame_));
  }
  kept_.insert(kept_.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(count));
  input = input.subspan(count);
}

}  // namespace sluice::tcp
