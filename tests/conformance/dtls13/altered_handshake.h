// A handshake of DTLS 1.3 in which one message arrives changed. Whoever changes it has the keys of
// both sides, so that what comes is authentic at the record layer and the check of its contents
// decides.
#pragma once

#include <functional>

#include "conformance/dtls13/vocabulary.h"
#include "record/header13.h"

namespace sluice::test {

// Changes the body of a handshake message.
using Change = std::function<void(Buffer& body)>;

class AlteredHandshake {
 public:
  AlteredHandshake(Pair& pair, Role sender, HandshakeType type, Change change)
      : pair_(pair), sender_(sender), type_(type), change_(std::move(change)) {}

  // Until neither side has anything to send. How many messages were changed.
  std::size_t run() {
    while (carry(Role::client) + carry(Role::server) != 0) continue;
    return changed_;
  }

 private:
  Peer& peer(Role role) { return role == Role::client ? pair_.client : pair_.server; }
  Peer& receiver() { return peer(sender_ == Role::client ? Role::server : Role::client); }

  std::size_t carry(Role from) {
    auto datagrams = peer(from).take_datagrams();
    for (Buffer& datagram : datagrams) {
      if (from != sender_) {
        receiver_of(from).receive(std::move(datagram), {});
        continue;
      }
      dtls::MutableBytes rest(datagram);
      while (!rest.empty()) {
        if (dtls::record::Header13::is_unified(rest.front())) {
          pass_encrypted(rest);
        } else {
          pass_plaintext(rest);
        }
      }
    }
    return datagrams.size();
  }
  Peer& receiver_of(Role from) { return peer(from == Role::client ? Role::server : Role::client); }

  void pass_plaintext(dtls::MutableBytes& rest) {
    const auto header = dtls::record::Header12::decode(rest).value();
    const std::size_t size = dtls::record::kHeaderSize12 + header.length;
    const Bytes contents = rest.subspan(dtls::record::kHeaderSize12, header.length);
    const bool is_handshake = header.type == ContentType::handshake;
    receiver().receive(plaintext_record(header.type,
                                        is_handshake ? altered(contents)
                                                     : Buffer(contents.begin(), contents.end()),
                                        dtls::wire::value_of(header.sequence)),
                       {});
    rest = rest.subspan(size);
  }

  void pass_encrypted(dtls::MutableBytes& rest) {
    // The receiver's keys open the record, the sender's seal it again.
    const auto taken = records_of(receiver().connection()).take(rest);
    if (std::holds_alternative<dtls::record::NeedsCiphers>(taken)) {
      // A cold connection has completed its handshake; nothing more is changed.
      receiver().receive(Buffer(rest.begin(), rest.end()), {});
      rest = {};
      return;
    }
    const auto* record = std::get_if<dtls::record::Record>(&taken);
    if (record == nullptr) return;
    const bool is_handshake = record->type == ContentType::handshake;
    receiver().receive(
        sealed(peer(sender_), record->epoch, record->type,
               is_handshake ? altered(record->contents)
                            : Buffer(record->contents.begin(), record->contents.end())),
        {});
  }

  // The messages of a record, each of which must be whole.
  Buffer altered(Bytes contents) {
    Buffer messages;
    dtls::wire::Reader reader(contents);
    while (reader.more()) {
      const auto fragment = dtls::message::HandshakeFragment::take(reader).value();
      EXPECT_EQ(fragment.body.size(), fragment.header.length);
      Buffer body(fragment.body.begin(), fragment.body.end());
      if (fragment.header.type == type_) {
        change_(body);
        ++changed_;
      }
      const Buffer message =
          message_of(fragment.header.type, dtls::wire::value_of(fragment.header.message_seq), body);
      messages.insert(messages.end(), message.begin(), message.end());
    }
    return messages;
  }

  Pair& pair_;
  Role sender_;
  HandshakeType type_;
  Change change_;
  std::size_t changed_ = 0;
};

}  // namespace sluice::test
