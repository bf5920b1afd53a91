// Hellos, for who looks at a peer's or alters one's own: fingerprints, GREASE (RFC 8701), another
// order.
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

// A ClientHello or ServerHello before it is sent.
struct OutgoingHello {
  ConnectionNumber connection;
  HelloMessage message;
  Bytes random;  // 32 bytes; a client's is the same in all its hellos of one handshake

  // To be altered. A server's is the one that it has chosen, and stays.
  std::vector<CipherSuite> cipher_suites;
  // To be altered, in their order on the wire. A client's pre_shared_key isn't among them: it stays
  // the last (RFC 8446 section 4.2.11), and its binders sign what the hook has made.
  std::vector<HelloExtension> extensions;
};

// A peer's hello that can be parsed, before anything is made of it.
struct IncomingHello {
  ConnectionNumber connection;
  HelloMessage message;
  Bytes body;  // the message behind its header
  // What stands in that, in its order: a server's one suite; all extensions.
  std::vector<CipherSuite> cipher_suites;
  std::vector<HelloExtension> extensions;
};

// What it alters is sent and enters the transcript, so both sides sign it. The engine acts as if it
// had said so itself: a server may choose of the suites that were sent alone, and answer the
// extensions that were; what it says to one that only the hook knows is for on_received(). Taking
// away what the connection lives on ends it, and what can't be parsed any more, or changes a
// server's suite, ends it before it is sent: invalid_config with internal_error.
//
// A client says hello again when a server asks for it, and may then change nothing but what was
// asked for: draw what must be random from `random`, so that it comes out the same. A
// HelloRetryRequest is shown when it is received, and never altered: it takes no other extensions
// (RFC 8446 section 4.1.4), and a Listener has to make it twice.
//
// One hook serves all connections of its Config, on several threads at once. Called during inputs
// and Connection::client(); must not call into a connection, and must not throw.
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
