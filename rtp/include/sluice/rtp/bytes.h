// Byte spans: the types of every packet.
#pragma once

#include <cstddef>
#include <span>

namespace sluice::rtp {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

}  // namespace sluice::rtp
