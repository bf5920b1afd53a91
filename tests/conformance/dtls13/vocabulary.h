// The words that every conformance test of DTLS 1.3 uses: two real connections, and records that
// neither would send.
#pragma once

#include <algorithm>
#include <chrono>

#include "message/ack.h"
#include "support/connections.h"
#include "support/plaintext.h"
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
using dtls::Role;
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

// What only `from` can write; it needs the epoch's keys.
inline Buffer sealed(Peer& from, Epoch epoch, ContentType type, Bytes contents) {
  auto& records = records_of(from.connection());
  if (records.is_cold()) from.seal({});  // what it seals itself makes it warm
  Buffer out(contents.size() + records.size_of(epoch).overhead());
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

// All but the last datagram of what `from` has to send; that one is returned.
inline Buffer hold_back_the_last(Peer& from, Peer& to, Instant now = {}) {
  auto datagrams = from.take_datagrams();
  EXPECT_GT(datagrams.size(), 1U);
  Buffer last = std::move(datagrams.back());
  datagrams.pop_back();
  for (auto& datagram : datagrams) to.receive(std::move(datagram), now);
  return last;
}

// Two connections whose time passes.
struct TimedPair : Pair {
  explicit TimedPair(const dtls::ConfigOptions& options = options13()) : Pair(options) {}
  using Pair::Pair;

  Peer& operator[](Role role) { return role == Role::client ? client : server; }
  static Role other(Role role) { return role == Role::client ? Role::server : Role::client; }

  void deliver(std::vector<Buffer> datagrams, Role to) {
    for (Buffer& datagram : datagrams) (*this)[to].receive(std::move(datagram), now);
  }
  // Takes what one side has to send to the other.
  void carry(Role from) { deliver((*this)[from].take_datagrams(), other(from)); }
  void connect() {
    run(now);
    ASSERT_TRUE(client.connected && server.connected);
  }
  // The same, but the client doesn't know yet that its Finished has come: it keeps its handshake
  // keys.
  void connect_but_for_the_ack() {
    for (const Role from : {Role::client, Role::server, Role::client}) carry(from);
    ASSERT_TRUE(client.connected && server.connected);
    ASSERT_EQ(server.take_datagrams().size(), 1U);
  }
  // Lets time pass; timers fire when they are due. What that side had to send.
  std::vector<Buffer> wait(Role role, dtls::Duration time) {
    Peer& peer = (*this)[role];
    std::vector<Buffer> sent = peer.take_datagrams();
    const Instant until = now + time;
    for (auto next = peer.connection().next_timeout(); next && *next <= until;
         next = peer.connection().next_timeout()) {
      now = std::max(now, *next);
      peer.settle(peer.connection().handle_timeout(now), now);
      for (Buffer& datagram : peer.take_datagrams()) sent.push_back(std::move(datagram));
    }
    now = until;
    return sent;
  }
  // One record with any contents, from one side to the other.
  void inject(Role sender, Epoch epoch, ContentType type, Bytes contents) {
    deliver({sealed((*this)[sender], epoch, type, contents)}, other(sender));
  }

  Instant now{};
};

// It goes on as if nothing had come.
inline testing::AssertionResult is_unmoved(Peer& peer) {
  if (peer.error) return testing::AssertionFailure() << to_string(*peer.error);
  if (peer.closed) return testing::AssertionFailure() << "it is closed";
  if (!peer.data.empty()) return testing::AssertionFailure() << "data came out";
  if (!peer.take_datagrams().empty()) return testing::AssertionFailure() << "it answered";
  return testing::AssertionSuccess();
}

}  // namespace sluice::test
