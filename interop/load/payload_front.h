// What stands before the stamp in a payload: as much of VP8 and Opus as a server may look into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <sluice/rtp/bytes.h>

#include "common/sdp/sdp_offer.h"

namespace sluice::interop::load {

struct PayloadFront {
  SectionKind kind = SectionKind::video;
  // ---- of video
  bool begins_frame = false;
  bool is_key_frame = false;  // only with begins_frame
  std::uint16_t picture = 0;  // 15 bits
};

inline constexpr std::size_t kMaxPayloadFront = 14;

// Writes it to the start of `out`; returns its size. Precondition: room for kMaxPayloadFront bytes.
std::size_t write_front(const PayloadFront& front, rtp::MutableBytes out);

struct FrontRead {
  std::size_t size = 0;
  bool is_key_frame = false;  // the packet begins one
};
// Takes any descriptor of VP8, since a server may write its own. Empty: there is no room for it.
std::optional<FrontRead> read_front(SectionKind kind, rtp::Bytes payload);

}  // namespace sluice::interop::load
