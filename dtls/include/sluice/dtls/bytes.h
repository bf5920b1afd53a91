// Views of bytes, as every input and output of the engine takes them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sluice::dtls {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;
using Buffer = std::vector<std::byte>;

}  // namespace sluice::dtls
