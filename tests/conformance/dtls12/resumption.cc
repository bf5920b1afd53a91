#include "conformance/dtls12/resumption.h"

#include "message/handshake_fragment.h"
#include "record/header12.h"
#include "support/plaintext.h"

namespace sluice::test {
namespace {

using dtls::message::HandshakeFragment;
using dtls::record::Header12;
using dtls::record::kHeaderSize12;

// Calls `visit` with each record of the datagram, its header before it.
template <class Visit>
void for_each_record(Bytes datagram, Visit&& visit) {
  while (!datagram.empty()) {
    const auto header = Header12::decode(datagram);
    if (!header) throw std::invalid_argument("no record");
    visit(*header, datagram.first(kHeaderSize12 + header->length));
    datagram = datagram.subspan(kHeaderSize12 + header->length);
  }
}

bool is_plaintext(const Header12& header) {
  return header.type == ContentType::handshake && header.epoch == kPlaintextEpoch;
}

}  // namespace

Buffer rewritten(Bytes datagram, HandshakeType type,
                 const std::function<void(Buffer& body)>& change) {
  Buffer out;
  bool has_any = false;
  for_each_record(datagram, [&](const Header12& header, Bytes record) {
    dtls::wire::Reader reader(record.subspan(kHeaderSize12));
    Buffer contents;
    while (is_plaintext(header) && reader.more()) {
      const auto fragment = HandshakeFragment::take(reader).value();
      Buffer body = copy_of(fragment.body);
      if (fragment.header.type == type) {
        change(body);
        has_any = true;
      }
      const Buffer message =
          message_of(fragment.header.type, dtls::wire::value_of(fragment.header.message_seq), body);
      contents.insert(contents.end(), message.begin(), message.end());
    }
    Buffer copy = copy_of(record);
    if (is_plaintext(header)) {
      copy = plaintext_record(header.type, contents, dtls::wire::value_of(header.sequence));
    }
    out.insert(out.end(), copy.begin(), copy.end());
  });
  if (!has_any) throw std::invalid_argument("no such message");
  return out;
}

std::vector<HandshakeType> types_in(Bytes datagram) {
  std::vector<HandshakeType> types;
  for_each_record(datagram, [&](const Header12& header, Bytes record) {
    dtls::wire::Reader reader(record.subspan(kHeaderSize12));
    while (is_plaintext(header) && reader.more()) {
      types.push_back(HandshakeFragment::take(reader).value().header.type);
    }
  });
  return types;
}

ClientHelloFields client_hello_of(Bytes datagram) {
  return ClientHelloFields::decode(
      datagram.subspan(kHeaderSize12 + dtls::message::kHandshakeHeaderSize));
}

}  // namespace sluice::test
