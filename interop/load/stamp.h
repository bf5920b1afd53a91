// What the payload of each packet says about itself, so that a viewer can judge how it has come,
// whatever the server did with the RTP header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <sluice/dtls/clock.h>
#include <sluice/rtp/bytes.h>
#include <sluice/rtp/numbers.h>

namespace sluice::interop::load {

// Names one stream of one publisher; chosen at random.
enum class SourceId : std::uint32_t {};

struct Stamp {
  SourceId source{};
  std::uint64_t number = 0;     // of the packet in its stream, from 0
  dtls::Instant sent{};         // by the publisher's clock
  rtp::Timestamp media_time{};  // the RTP timestamp as it was sent
};

inline constexpr std::size_t kStampSize = 48;

// Writes the stamp to the start of `out`, fills the rest with bytes that follow from it, and puts a
// checksum of all of it into the stamp. Precondition: `out` has kStampSize bytes or more.
void write_stamp(const Stamp& stamp, rtp::MutableBytes out);

// Empty: these are not the bytes that write_stamp() wrote, from the first to the last.
std::optional<Stamp> read_stamp(rtp::Bytes bytes);

}  // namespace sluice::interop::load
