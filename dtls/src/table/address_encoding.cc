#include "table/address_encoding.h"

#include <algorithm>
#include <span>
#include <variant>

#include "wire/writer.h"

namespace sluice::dtls::table {

std::array<std::byte, kEncodedEndpoint> encode(const UdpEndpoint& endpoint) {
  std::array<std::byte, kEncodedEndpoint> out{};
  out[0] = static_cast<std::byte>(endpoint.address.index());
  std::visit(
      [&](const auto& address) {
        std::ranges::copy(std::as_bytes(std::span(address)), out.begin() + 1);
      },
      endpoint.address);
  wire::store(MutableBytes(out).last(2), endpoint.port);
  return out;
}

std::array<std::byte, kEncodedPath> encode(const UdpPath& path) {
  std::array<std::byte, kEncodedPath> out{};
  wire::store(MutableBytes(out).first(4), static_cast<std::uint32_t>(path.socket));
  auto rest = std::ranges::copy(encode(path.peer), out.begin() + 4).out;
  std::ranges::copy(encode(path.own), rest);
  return out;
}

}  // namespace sluice::dtls::table
