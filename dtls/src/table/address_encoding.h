// Addresses and paths as bytes, for hashes and cookies.
#pragma once

#include <array>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/path.h>

namespace sluice::dtls::table {

// Equal for equal addresses and for no others.
inline constexpr std::size_t kEncodedEndpoint = 19;
std::array<std::byte, kEncodedEndpoint> encode(const UdpEndpoint& endpoint);
// Equal for equal paths and for no others.
inline constexpr std::size_t kEncodedPath = 4 + 2 * kEncodedEndpoint;
std::array<std::byte, kEncodedPath> encode(const UdpPath& path);

}  // namespace sluice::dtls::table
