// The words that every conformance test of DTLS 1.3 uses: two real connections, and records that
// neither would send.
#pragma once

#include <chrono>

#include "message/ack.h"
#include "message/handshake_fragment.h"
#include "record/header12.h"
#include "support/connections.h"
#include "support/record_access.h"

namespace sluice::test {

using namespace std::chrono_literals;

using dtls::Alert;
using dtls::Buffer;
using dtls::Bytes;
using dtls::Discard;
using dtls::Errc;
using dtls::Instant;
using dtls::ProtocolVersion;
using dtls::message::RecordNumber;
using dtls::wire::ContentType;
using dtls::wire::Epoch;
using dtls::wire::HandshakeType;
using dtls::wire::kFirstApplicationEpoch13;
using dtls::wire::kHandshakeEpoch13;
using dtls::wire::kPlaintextEpoch;
using dtls::wire::MessageSeq;
using dtls::wire::SequenceNumber;

inline dtls::ConfigOptions options13() { return options_for(ProtocolVersion::dtls13); }

// In so small datagrams each flight but the first hello takes several.
inline dtls::ConfigOptions small_options13() {
  dtls::ConfigOptions options = options13();
  options.mtu = dtls::kMinimumMtu;
  return options;
}

// What anybody on the path can write.
inline Buffer plaintext_record(ContentType type, Bytes contents, std::uint64_t sequence = 1000) {
  Buffer record(dtls::record::kHeaderSize12);
  const dtls::record::Header12 header{type, ProtocolVersion::dtls12, kPlaintextEpoch,
                                      SequenceNumber{sequence}, contents.size()};
  header.encode(record);
  record.insert(record.end(), contents.begin(), contents.end());
  return record;
}

// What only `from` can write; it needs the epoch's keys.
inline Buffer sealed(Peer& from, Epoch epoch, ContentType type, Bytes contents) {
  auto& records = records_of(from.connection());
  Buffer out(contents.size() + records.overhead(epoch));
  const auto size = records.seal(epoch, type, contents, out);
  EXPECT_TRUE(size);
  out.resize(size.value_or(0));
  return out;
}

inline Buffer ack_of(std::span<const RecordNumber> numbers) {
  Buffer contents;
  dtls::wire::Writer writer(contents);
  dtls::message::put_ack(writer, numbers);
  return contents;
}

// `count` numbers of an epoch.
inline std::vector<RecordNumber> numbers_of(Epoch epoch, std::uint64_t first, std::size_t count) {
  std::vector<RecordNumber> numbers;
  for (std::uint64_t i = 0; i < count; ++i) numbers.push_back({epoch, SequenceNumber{first + i}});
  return numbers;
}

// A fragment of a message of `length` bytes.
inline Buffer fragment_of(HandshakeType type, unsigned seq, std::uint32_t length,
                          std::uint32_t offset, Bytes body) {
  Buffer fragment(dtls::message::kHandshakeHeaderSize);
  const dtls::message::HandshakeHeader header{type, length,
                                              MessageSeq{static_cast<std::uint16_t>(seq)}, offset,
                                              static_cast<std::uint32_t>(body.size())};
  header.encode(fragment);
  fragment.insert(fragment.end(), body.begin(), body.end());
  return fragment;
}
inline Buffer message_of(HandshakeType type, unsigned seq, Bytes body) {
  return fragment_of(type, seq, static_cast<std::uint32_t>(body.size()), 0, body);
}

// All but the last datagram of what `from` has to send; that one is returned.
inline Buffer hold_back_the_last(Peer& from, Peer& to, Instant now = {}) {
  auto datagrams = from.take_datagrams();
  EXPECT_GT(datagrams.size(), 1U);
  Buffer last = std::move(datagrams.back());
  datagrams.pop_back();
  for (auto& datagram : datagrams) to.receive(std::move(datagram), now);
  return last;
}

// It goes on as if nothing had come.
inline testing::AssertionResult is_unmoved(Peer& peer) {
  if (peer.error) return testing::AssertionFailure() << to_string(*peer.error);
  if (peer.closed) return testing::AssertionFailure() << "it is closed";
  if (!peer.data.empty()) return testing::AssertionFailure() << "data came out";
  if (!peer.take_datagrams().empty()) return testing::AssertionFailure() << "it answered";
  return testing::AssertionSuccess();
}

// It gave up, and what it sends tells `other` why.
inline testing::AssertionResult failed(Peer& peer, Errc code, Alert alert, Peer& other) {
  if (!peer.error) return testing::AssertionFailure() << "no error";
  if (peer.error->code != code || peer.error->alert != alert) {
    return testing::AssertionFailure() << to_string(*peer.error);
  }
  if (peer.connection().connected()) return testing::AssertionFailure() << "it is connected";
  for (auto& datagram : peer.take_datagrams()) other.receive(std::move(datagram), {});
  if (!other.error || other.error->code != Errc::alert_received || other.error->alert != alert) {
    return testing::AssertionFailure() << "the alert didn't reach the other side";
  }
  return testing::AssertionSuccess();
}

// Answers what the server asked about PSK identities.
inline void answer_psk(Peer& server, dtls::Answer answer, Instant now = {}) {
  server.settle(server.connection().answer(server.psk_request->question, std::move(answer), now),
                now);
}

// Both are connected and data passes.
inline testing::AssertionResult works(Pair& pair) {
  if (pair.client.error) return testing::AssertionFailure() << to_string(*pair.client.error);
  if (pair.server.error) return testing::AssertionFailure() << to_string(*pair.server.error);
  if (!pair.client.connected || !pair.server.connected) {
    return testing::AssertionFailure() << "not connected";
  }
  for (Peer* from : {&pair.client, &pair.server}) {
    Peer& to = from == &pair.client ? pair.server : pair.client;
    const std::size_t before = to.data.size();
    to.receive(from->seal(bytes_of("data")), {});
    if (to.data.size() != before + 1) return testing::AssertionFailure() << "data doesn't pass";
  }
  return testing::AssertionSuccess();
}

}  // namespace sluice::test
