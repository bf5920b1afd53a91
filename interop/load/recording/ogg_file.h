// Reads Opus in Ogg (RFC 7845).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/rtp/bytes.h>

namespace sluice::interop::load {

// The packets behind the two headers, in order. The error says what is wrong with the file: it has
// one stream, of Opus, and every page is whole and in its place.
tl::expected<std::vector<dtls::Buffer>, std::string> read_ogg_opus(rtp::Bytes file);

// How long a packet of Opus plays, in samples of 48 kHz, by its TOC (RFC 6716 section 3.1). Empty:
// it is malformed, or longer than 120 ms.
std::optional<std::uint32_t> opus_samples(rtp::Bytes packet);

}  // namespace sluice::interop::load
