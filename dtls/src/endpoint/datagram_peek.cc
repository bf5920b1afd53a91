#include "endpoint/datagram_peek.h"

#include <algorithm>

#include "message/handshake_fragment.h"
#include "record/header12.h"
#include "record/header13.h"

namespace sluice::dtls::endpoint {
namespace {

using record::Header13;

// Where the ID is in a record that begins with this byte; empty: the record has none.
std::optional<std::size_t> place_of_id(std::byte first) {
  if (Header13::is_unified(first)) {
    const bool has_id = (std::to_integer<unsigned>(first) & record::kConnectionId) != 0;
    return has_id ? std::optional(record::kConnectionIdAt13) : std::nullopt;
  }
  const bool has_id = first == static_cast<std::byte>(record::kTls12Cid);
  return has_id ? std::optional(record::kConnectionIdAt12) : std::nullopt;
}

}  // namespace

DatagramKind peek(Bytes datagram) {
  if (datagram.empty() || Header13::is_unified(datagram.front())) {
    return DatagramKind::other;
  }
  const auto header = record::Header12::decode(datagram);
  if (!header || header->epoch != wire::kPlaintextEpoch) return DatagramKind::other;
  if (header->type != wire::ContentType::handshake) return DatagramKind::plaintext;
  datagram = datagram.subspan(record::kHeaderSize12);
  wire::Reader reader(datagram.first(std::min(header->length, datagram.size())));
  const auto fragment = message::HandshakeFragment::take(reader);
  const bool is_hello = fragment && fragment->header.type == wire::HandshakeType::client_hello;
  return is_hello ? DatagramKind::client_hello : DatagramKind::plaintext;
}

Bytes connection_id_of(Bytes datagram, std::size_t size) {
  if (size == 0 || datagram.empty()) return {};
  const auto at = place_of_id(datagram.front());
  if (!at || datagram.size() < *at + size) return {};
  return datagram.subspan(*at, size);
}

}  // namespace sluice::dtls::endpoint
