// Hooks that read a peer's ClientHello or ServerHello and change our own: for fingerprints, GREASE
// (RFC 8701), another order.
#pragma once

#include <cstdint>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/packet_observer.h>
#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

enum class HelloMessage : std::uint8_t { client_hello, server_hello, hello_retry_request };

struct HelloExtension {
  std::uint16_t type;
  Buffer data;
};

// A ClientHello or ServerHello that is about to be sent.
struct OutgoingHello {
  ConnectionNumber connection;
  HelloMessage message;
  Bytes random;  // 32 bytes; a client's is the same in all its hellos of one handshake

  // May be changed by a client. A server's list holds the suite that it chose; it must stay.
  std::vector<CipherSuite> cipher_suites;
  // May be changed; the order is that on the wire. A client's pre_shared_key is not in the list: it
  // stays last (RFC 8446 section 4.2.11), and its binders cover the changed hello.
  std::vector<HelloExtension> extensions;
};

// A peer's hello, parsed, before it is processed.
struct IncomingHello {
  ConnectionNumber connection;
  HelloMessage message;
  Bytes body;  // the message without its header
  // Its contents, in order: the suites (one from a server) and all extensions.
  std::vector<CipherSuite> cipher_suites;
  std::vector<HelloExtension> extensions;
};

// The changed hello is sent and enters the transcript, so that both sides sign it. The engine
// continues as if it had made it: a server may choose only from the suites sent, and answer only
// the extensions sent. The answer to an extension that the hook added is passed to
// on_received(). Removing what the connection depends on ends it. A hello that no longer parses, or
// a changed suite of a server, ends it before anything is sent: invalid_config, internal_error.
//
// A client sends a second hello if the server asks for one, and must change only what was asked
// for: derive random values from `random`, which is the same in both. A received HelloRetryRequest
// is shown; one that is sent is not: it allows no other extensions (RFC 8446 section 4.1.4), and a
// Listener must be able to make it twice.
//
// All connections of a Config use one hook, on several threads at once. It is called during inputs
// and Connection::client(); it must not call into a connection and must not throw.
class HelloHook {
 public:
  HelloHook() = default;
  HelloHook(const HelloHook&) = delete;
  HelloHook& operator=(const HelloHook&) = delete;
  virtual ~HelloHook() = default;

  virtual void on_sending(OutgoingHello& /*hello*/) const {}
  virtual void on_received(const IncomingHello& /*hello*/) const {}
};

}  // namespace sluice::dtls
