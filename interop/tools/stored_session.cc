#include "tools/stored_session.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

namespace sluice::interop::tools {
namespace {

constexpr std::size_t kIpv4Size = std::tuple_size_v<dtls::Ipv4Address>;
constexpr std::size_t kIpv6Size = std::tuple_size_v<dtls::Ipv6Address>;
constexpr std::size_t kPortSize = sizeof(dtls::UdpEndpoint::port);

template <class Address>
Address address_of(dtls::Bytes bytes) {
  Address address{};
  std::ranges::copy(bytes, std::as_writable_bytes(std::span(address)).begin());
  return address;
}

}  // namespace

dtls::SecretBytes encode_stored(const dtls::SessionState& state, const dtls::UdpEndpoint& peer) {
  const auto address = std::visit(
      [](const auto& known) { return dtls::Bytes(std::as_bytes(std::span(known))); }, peer.address);
  dtls::Buffer out;
  out.reserve(1 + address.size() + kPortSize + state.bytes().size());
  out.push_back(static_cast<std::byte>(address.size()));
  out.insert(out.end(), address.begin(), address.end());
  out.push_back(static_cast<std::byte>(peer.port >> 8));
  out.push_back(static_cast<std::byte>(peer.port & 0xff));
  out.insert(out.end(), state.bytes().begin(), state.bytes().end());
  return dtls::SecretBytes(std::move(out));
}

tl::expected<StoredSession, std::string> decode_stored(dtls::Bytes bytes) {
  const auto size = bytes.empty() ? 0 : std::to_integer<std::size_t>(bytes.front());
  if ((size != kIpv4Size && size != kIpv6Size) || bytes.size() < 1 + size + kPortSize) {
    return tl::unexpected<std::string>("no session of sluice-dtls-server");
  }
  dtls::UdpEndpoint peer;
  const dtls::Bytes address = bytes.subspan(1, size);
  if (size == kIpv4Size) {
    peer.address = address_of<dtls::Ipv4Address>(address);
  } else {
    peer.address = address_of<dtls::Ipv6Address>(address);
  }
  const dtls::Bytes port = bytes.subspan(1 + size, kPortSize);
  peer.port = static_cast<std::uint16_t>(std::to_integer<unsigned>(port[0]) << 8 |
                                         std::to_integer<unsigned>(port[1]));
  auto state = dtls::SessionState::parse(bytes.subspan(1 + size + kPortSize));
  if (!state) return tl::unexpected(to_string(state.error()));
  return StoredSession{*std::move(state), peer};
}

}  // namespace sluice::interop::tools
