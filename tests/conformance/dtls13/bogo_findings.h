// The words in which what BoringSSL's runner (docs/bogo.md) found in DTLS 1.3 is told.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>

#include "message/handshake_fragment.h"
#include "support/bytes.h"
#include "support/endpoints.h"
#include "support/record_access.h"

namespace sluice::test {

using namespace std::chrono_literals;

using dtls::Alert;
using dtls::Buffer;
using dtls::Bytes;
using dtls::Discard;
using dtls::Errc;
using dtls::ProtocolVersion;
using dtls::Role;
using dtls::wire::ContentType;
using dtls::wire::Epoch;
using dtls::wire::HandshakeType;
using dtls::wire::kFirstApplicationEpoch13;
using dtls::wire::kHandshakeEpoch13;
using dtls::wire::kPlaintextEpoch;
using dtls::wire::MessageSeq;

inline constexpr std::array kRoles{Role::client, Role::server};

// Defaults that speak DTLS 1.3 alone; with the smallest MTU a server's flight takes several
// datagrams, a client's too.
inline dtls::ConfigOptions options13(std::size_t mtu = 1200) {
  auto options = test::options();
  options.min_version = ProtocolVersion::dtls13;
  options.max_version = ProtocolVersion::dtls13;
  options.mtu = mtu;
  return options;
}

// Two engines of DTLS 1.3, datagram by datagram, in virtual time.
struct Pair {
  explicit Pair(std::size_t mtu = 1200) : Pair(options13(mtu), options13(mtu)) {}
  Pair(dtls::ConfigOptions client_options, dtls::ConfigOptions server_options)
      : client(make_client(make_config(std::move(client_options)))),
        server(make_server(make_config(std::move(server_options)))) {}

  Peer& operator[](Role role) { return role == Role::client ? client : server; }

  void deliver(std::vector<Buffer> datagrams, Role to) {
    for (Buffer& datagram : datagrams) (*this)[to].receive(std::move(datagram), now);
  }
  // Takes what one side has to send to the other.
  void carry(Role from) { deliver((*this)[from].take_datagrams(), other(from)); }
  void connect() {
    exchange(client, server, now);
    ASSERT_TRUE(client.connected && server.connected);
  }
  // The same, but the client doesn't know yet that its Finished has come: it keeps its handshake
  // keys.
  void connect_but_for_the_ack() {
    carry(Role::client);
    carry(Role::server);
    carry(Role::client);
    ASSERT_TRUE(client.connected && server.connected);
    ASSERT_EQ(server.take_datagrams().size(), 1U);
  }
  // Lets time pass; timers fire when they are due. What that side had to send.
  std::vector<Buffer> wait(Role role, dtls::Duration time) {
    std::vector<Buffer> sent = (*this)[role].take_datagrams();
    const dtls::Instant until = now + time;
    Peer& peer = (*this)[role];
    for (auto next = peer.connection().next_timeout(); next && *next <= until;
         next = peer.connection().next_timeout()) {
      now = std::max(now, *next);
      peer.settle(peer.connection().handle_timeout(now), now);
      for (Buffer& datagram : peer.take_datagrams()) sent.push_back(std::move(datagram));
    }
    now = until;
    return sent;
  }
  // One record as `sender` would seal it, with any contents.
  Buffer seal(Role sender, Epoch epoch, ContentType type, Bytes contents) {
    auto& records = records_of((*this)[sender].connection());
    Buffer out(records.overhead(epoch) + contents.size());
    out.resize(records.seal(epoch, type, contents, out).value_or(0));
    return out;
  }
  // The same, handed to the other side.
  void inject(Role sender, Epoch epoch, ContentType type, Bytes contents) {
    deliver({seal(sender, epoch, type, contents)}, other(sender));
  }

  static Role other(Role role) { return role == Role::client ? Role::server : Role::client; }

  Peer client;
  Peer server;
  dtls::Instant now{};
};

// A fragment of a message of which nothing else is known.
inline Buffer fragment(HandshakeType type, unsigned seq, std::uint32_t length, std::uint32_t offset,
                       Bytes body) {
  Buffer bytes(dtls::message::kHandshakeHeaderSize);
  dtls::message::HandshakeHeader{type, length, MessageSeq(static_cast<std::uint16_t>(seq)), offset,
                                 static_cast<std::uint32_t>(body.size())}
      .encode(bytes);
  bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

inline Buffer joined(std::initializer_list<Bytes> parts) {
  Buffer whole;
  for (const Bytes part : parts) whole.insert(whole.end(), part.begin(), part.end());
  return whole;
}

// It gave up with this error.
inline testing::AssertionResult failed(const Peer& peer, Errc code, Alert alert) {
  if (!peer.error) return testing::AssertionFailure() << "no error";
  if (peer.error->code == code && peer.error->alert == alert) return testing::AssertionSuccess();
  return testing::AssertionFailure() << to_string(*peer.error);
}

}  // namespace sluice::test
