// One handshake of either role and version: passes each message to the present state.
#pragma once

#include <variant>

#include "handshake/client_start.h"
#include "handshake/server_start.h"
#include "handshake/session.h"

namespace sluice::dtls::handshake {

class Handshake {
 public:
  // Adds the ClientHello to the context's flight.
  static Result<Handshake> client(Context& context, const std::optional<ResumableSession>& session);
  static Handshake server() { return Handshake(server_start::WaitClientHello{}); }
  // Continues after a HelloRetryRequest that a Listener has sent.
  static Result<Handshake> server(const server13::StatelessRetry& retry, Context& context);

  // Takes the next message in order. After an Error the handshake must not be used again.
  Result<void> on_message(const flight::IncomingMessage& incoming, Context& context);

  // Whether the handshake waits for the answer to the context's question.
  [[nodiscard]] bool awaits_answer() const;
  // Only if awaits_answer(). After an Error the handshake must not be used again.
  Result<void> answer(const Answer& answer, Context& context);

  // The epoch in which the next message must arrive.
  [[nodiscard]] wire::Epoch expected_epoch() const;
  [[nodiscard]] bool complete() const;
  // Only if complete().
  Session take_session() &&;

 private:
  using State = std::variant<
      client_start::WaitServerHello, client12::WaitCertificate, client12::WaitServerKeyExchange,
      client12::WaitCertificateRequest, client12::WaitIdentity, client12::WaitServerHelloDone,
      client12::WaitSignature, client12::WaitNewSessionTicket, client12::WaitFinished,
      client_psk12::WaitServerKeyExchange, client_psk12::WaitServerHelloDone, client_psk12::WaitPsk,
      client13::WaitEncryptedExtensions, client13::WaitCertificateRequest, client13::WaitIdentity,
      client13::WaitCertificate, client13::WaitCertificateVerify, client13::WaitFinished,
      client13::WaitSignature, server_start::WaitClientHello, server_start::WaitSession,
      server_start::WaitIdentity, server12::WaitSignature, server12::WaitCertificate,
      server12::WaitClientKeyExchange, server12::WaitCertificateVerify, server12::WaitFinished,
      server_psk12::WaitClientKeyExchange, server_psk12::WaitPsk, server13::WaitSecondClientHello,
      server13::WaitPsk, server13::WaitIdentity, server13::WaitSignature, server13::WaitCertificate,
      server13::WaitCertificateVerify, server13::WaitFinished, Session12, Session13>;

  explicit Handshake(State state) : state_(std::move(state)) {}
  State state_;
};

}  // namespace sluice::dtls::handshake
