#include "endpoint/datagram_peek.h"

#include <algorithm>

#include "message/handshake_fragment.h"
#include "record/header12.h"
#include "record/header13.h"

namespace sluice::dtls::endpoint {

DatagramKind peek(Bytes datagram) {
  if (datagram.empty() || record::Header13::is_unified(datagram.front())) {
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

Bytes behind_plaintext(Bytes datagram) {
  while (!datagram.empty() && !record::Header13::is_unified(datagram.front())) {
    const auto header = record::Header12::decode(datagram);
    if (!header || header->epoch != wire::kPlaintextEpoch) break;
    const std::size_t size = record::kHeaderSize12 + header->length;
    if (size > datagram.size()) return {};
    datagram = datagram.subspan(size);
  }
  return datagram;
}

}  // namespace sluice::dtls::endpoint
