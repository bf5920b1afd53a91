#include "endpoint/datagram_peek.h"

#include <algorithm>
#include <cstring>

#include "message/handshake_fragment.h"
#include "record/header12.h"
#include "record/header13.h"

namespace sluice::dtls::endpoint {
namespace {

constexpr std::size_t kRandomSize = 32;
// In a ClientHello the random follows client_version (RFC 5246 section 7.4.1.2).
constexpr std::size_t kRandomAt = 2;

}  // namespace

std::uint32_t random_tail(std::span<const std::byte, 32> random) {
  std::uint32_t tail = 0;
  std::memcpy(&tail, random.data() + kRandomSize - sizeof tail, sizeof tail);
  return tail;
}

DatagramPeek peek(Bytes datagram) {
  using Kind = DatagramPeek::Kind;
  if (datagram.empty() || record::Header13::is_unified(datagram.front())) return {};
  const auto header = record::Header12::decode(datagram);
  if (!header || header->epoch != wire::kPlaintextEpoch) return {};
  if (header->type != wire::ContentType::handshake) return {Kind::plaintext};
  datagram = datagram.subspan(record::kHeaderSize12);
  wire::Reader reader(datagram.first(std::min(header->length, datagram.size())));
  const auto fragment = message::HandshakeFragment::take(reader);
  if (!fragment || fragment->header.type != wire::HandshakeType::client_hello) {
    return {Kind::plaintext};
  }
  if (fragment->header.fragment_offset != 0 || fragment->body.size() < kRandomAt + kRandomSize) {
    return {Kind::client_hello};
  }
  const Bytes random = fragment->body.subspan(kRandomAt);
  return {Kind::client_hello, random_tail(random.first<kRandomSize>())};
}

}  // namespace sluice::dtls::endpoint
