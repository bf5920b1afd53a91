#include "endpoint/glance.h"

#include <algorithm>
#include <cstring>

#include "message/handshake_fragment.h"
#include "record/header12.h"
#include "record/header13.h"

namespace sluice::dtls::endpoint {
namespace {

using message::HandshakeFragment;
using record::Header12;

constexpr std::size_t kRandom = 32;
// Before it in a ClientHello: client_version (RFC 5246 section 7.4.1.2).
constexpr std::size_t kRandomAt = 2;

}  // namespace

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

std::uint32_t tail_of(std::span<const std::byte, 32> random) {
  std::uint32_t tail = 0;
  std::memcpy(&tail, random.data() + kRandom - sizeof tail, sizeof tail);
  return tail;
}

Glance glance(Bytes datagram) {
  if (datagram.empty() || record::Header13::is_unified(datagram.front())) return {};
  const auto header = Header12::decode(datagram);
  if (!header || header->epoch != wire::kPlaintextEpoch) return {};
  if (header->type != wire::ContentType::handshake) return {Glance::Kind::plaintext};
  datagram = datagram.subspan(record::kHeaderSize12);
  wire::Reader reader(datagram.first(std::min(header->length, datagram.size())));
  const auto fragment = HandshakeFragment::take(reader);
  if (!fragment || fragment->header.type != wire::HandshakeType::client_hello) {
    return {Glance::Kind::plaintext};
  }
  if (fragment->header.fragment_offset != 0 || fragment->body.size() < kRandomAt + kRandom) {
    return {Glance::Kind::client_hello};
  }
  return {Glance::Kind::client_hello, tail_of(fragment->body.subspan(kRandomAt).first<kRandom>())};
}

}  // namespace sluice::dtls::endpoint
