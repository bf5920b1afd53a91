// Calls the Config's HelloHook for hellos that arrive and leave.
#pragma once

#include "message/client_hello.h"
#include "message/server_hello.h"
#include "negotiation/context.h"

namespace sluice::dtls::handshake {

// Shows a received hello to the hook, if there is one.
void show_hello(const Context& context, const message::ClientHello& hello, Bytes body);
void show_hello(const Context& context, const message::ServerHello& hello, Bytes body);

// Lets the hook, if there is one, change the body of our own hello. Errors: invalid_config with
// internal_error.
Result<void> edit_hello(Context& context, HelloMessage message, Buffer& body);

// Whether our ClientHello had this extension, so that the server may answer it.
bool is_solicited(const Context& context, wire::ExtensionType type);
// False when the hook has removed the suite.
bool was_suite_sent(const Context& context, CipherSuite suite);

// Appends a ServerHello, which the hook may change, to the flight and to the transcript.
template <class Encode>
Result<void> send_server_hello_edited(Context& context, Encode&& encode) {
  constexpr auto kType = wire::HandshakeType::server_hello;
  if (!context.config.hello_hook) {
    return context.send(kType, wire::kPlaintextEpoch, std::forward<Encode>(encode));
  }
  auto body = wire::encoded(std::forward<Encode>(encode));
  if (!body) return fatal(Errc::excessive_message, Alert::internal_error, "ServerHello");
  if (auto edited = edit_hello(context, HelloMessage::server_hello, *body); !edited) return edited;
  return context.send(kType, wire::kPlaintextEpoch, [&](wire::Writer& out) { out.bytes(*body); });
}

}  // namespace sluice::dtls::handshake
