// What viewers see of layers, and ask for, as JSON: the video layer selection of
// draft-murillo-whep-02, an extension of WHEP.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "sfu/forwarding/viewer.h"

namespace sluice::interop::sfu {

// In the Link header of a viewer's answer.
inline constexpr std::string_view kLayerExtension = "urn:ietf:params:whep:ext:core:layer";

// By the MID of each video section: the layers that are sent, {"encodingId", "bitrate"} with the
// largest first (LayerChoice), as "active"; those that are not, as "inactive"; which one the viewer
// gets, as "shown", and has asked for, as "asked" (null: none).
std::string layers_json(const Viewer& viewer, dtls::Instant now);

struct LayerWish {
  std::string mid;  // empty: all video sections
  std::string rid;  // empty: the largest layer that fits
};
// In bytes.
inline constexpr std::size_t kMaxLayerWish = 1024;
// {"mediaId": MID, "encodingId": RID}; each may be null or left out. The error is a sentence.
tl::expected<LayerWish, std::string> read_layer_wish(const std::string& json);

}  // namespace sluice::interop::sfu
