// One handshake, of either role: hands each message to the state that waits for it.
#pragma once

#include <variant>

#include "handshake/client12.h"
#include "handshake/server12.h"

namespace sluice::dtls::handshake {

class Handshake {
 public:
  // Puts the ClientHello into the context's flight.
  static Result<Handshake> client(Context& context);
  static Handshake server() { return Handshake(server12::WaitClientHello{}); }

  // Takes the next message in order. After an Error the handshake must not be used any more.
  Result<void> on_message(const flight::IncomingMessage& incoming, Context& context);

  // Not null once the handshake is complete.
  [[nodiscard]] Session12* session() { return std::get_if<Session12>(&state_); }

 private:
  using State =
      std::variant<client12::WaitServerHello, client12::WaitCertificate,
                   client12::WaitServerKeyExchange, client12::WaitCertificateRequest,
                   client12::WaitServerHelloDone, client12::WaitFinished, server12::WaitClientHello,
                   server12::WaitCertificate, server12::WaitClientKeyExchange,
                   server12::WaitCertificateVerify, server12::WaitFinished, Session12>;

  explicit Handshake(State state) : state_(std::move(state)) {}
  State state_;
};

}  // namespace sluice::dtls::handshake
