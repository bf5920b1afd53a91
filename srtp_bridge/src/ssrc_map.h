// Sets and maps of SSRCs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>

namespace sluice::srtp {

// Pairwise independent with a key of this process, since peers choose SSRCs.
struct SsrcHash {
  std::size_t operator()(std::uint32_t ssrc) const;
};

template <class T>
using SsrcMap = std::unordered_map<std::uint32_t, T, SsrcHash>;
using SsrcSet = std::unordered_set<std::uint32_t, SsrcHash>;

}  // namespace sluice::srtp
