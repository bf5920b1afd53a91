#include "sfu/forwarding/key_frame.h"

#include <algorithm>
#include <cstddef>

namespace sluice::interop::sfu {
namespace {

// Takes bytes off the front; reading past the end gives zeros and is remembered.
class Octets {
 public:
  explicit Octets(rtp::Bytes bytes) : rest_(bytes) {}

  unsigned next() {
    if (rest_.empty()) {
      is_short_ = true;
      return 0;
    }
    const auto value = std::to_integer<unsigned>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }
  Octets take(std::size_t count) {
    is_short_ = is_short_ || count > rest_.size();
    const Octets taken(rest_.first(std::min(count, rest_.size())));
    rest_ = rest_.subspan(taken.rest_.size());
    return taken;
  }
  [[nodiscard]] bool is_short() const { return is_short_; }
  [[nodiscard]] bool is_empty() const { return rest_.empty(); }

 private:
  rtp::Bytes rest_;
  bool is_short_ = false;
};

constexpr bool has(unsigned byte, unsigned bits) { return (byte & bits) != 0; }

// One byte, or two where its first bit is set: the picture IDs of VP8 and VP9.
void skip_picture_id(Octets& octets) {
  if (has(octets.next(), 0x80)) octets.next();
}

constexpr unsigned kIdr = 5;
constexpr unsigned kSps = 7;
constexpr unsigned kStapA = 24;
constexpr unsigned kFuA = 28;

// `rest`: behind the header of the unit. Of an IDR picture of several slices it is the first one:
// first_mb_in_slice is 0, written as one bit (H.264 sections 7.3.3 and 9.1).
bool is_key_unit(unsigned header, Octets rest) {
  const unsigned type = header & 0x1f;
  return type == kSps || (type == kIdr && has(rest.next(), 0x80));
}

// Aggregated units, each behind its size (RFC 6184 section 5.7.1).
bool has_key_unit(Octets& octets) {
  while (!octets.is_empty()) {
    const unsigned high = octets.next();
    Octets unit = octets.take(high << 8 | octets.next());
    if (octets.is_short() || unit.is_empty()) return false;
    const unsigned header = unit.next();
    if (is_key_unit(header, unit)) return true;
  }
  return false;
}

}  // namespace

bool begins_vp8_key_frame(rtp::Bytes payload) {
  Octets octets(payload);
  const unsigned descriptor = octets.next();
  const bool begins_frame = has(descriptor, 0x10) && (descriptor & 0x07) == 0;  // S, partition 0
  if (!begins_frame) return false;
  if (has(descriptor, 0x80)) {
    const unsigned extension = octets.next();
    if (has(extension, 0x80)) skip_picture_id(octets);
    if (has(extension, 0x40)) octets.next();  // TL0PICIDX
    if (has(extension, 0x30)) octets.next();  // TID and KEYIDX
  }
  const bool is_delta = has(octets.next(), 0x01);
  return !octets.is_short() && !is_delta;
}

bool begins_vp9_key_frame(rtp::Bytes payload) {
  Octets octets(payload);
  const unsigned descriptor = octets.next();
  const bool is_predicted = has(descriptor, 0x40);
  const bool begins_frame = has(descriptor, 0x08);
  if (octets.is_short() || is_predicted || !begins_frame) return false;
  if (has(descriptor, 0x80)) skip_picture_id(octets);
  const unsigned layers = has(descriptor, 0x20) ? octets.next() : 0;
  const unsigned spatial_layer = layers >> 1 & 0x07;
  return !octets.is_short() && spatial_layer == 0;
}

bool begins_h264_key_frame(rtp::Bytes payload) {
  Octets octets(payload);
  const unsigned header = octets.next();
  const unsigned type = header & 0x1f;
  if (type == kStapA) return has_key_unit(octets);
  if (type != kFuA) return is_key_unit(header, octets);
  const unsigned fragment = octets.next();
  const bool is_first = has(fragment, 0x80);
  return is_first && is_key_unit(fragment, octets);
}

bool begins_av1_key_frame(rtp::Bytes payload) {
  Octets octets(payload);
  return has(octets.next(), 0x08);  // N: the first packet of a coded video sequence
}

}  // namespace sluice::interop::sfu
