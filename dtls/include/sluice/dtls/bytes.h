// Byte spans and buffers: the types of every input and output.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sluice::dtls {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;
using Buffer = std::vector<std::byte>;

}  // namespace sluice::dtls
