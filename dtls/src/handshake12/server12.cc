#include "handshake12/server12.h"

#include "handshake12/hello12.h"
#include "handshake12/ticket12.h"
#include "message/certificate_request12.h"
#include "message/client_key_exchange.h"
#include "message/digital_signature.h"
#include "message/finished.h"
#include "message/server_key_exchange.h"
#include "negotiation/peer_certificate.h"
#include "negotiation/widen.h"

namespace sluice::dtls::handshake::server12 {
namespace {

using message::ClientHello;
using wire::HandshakeType;

Result<Buffer> encode_params(const crypto::EphemeralKey& key) {
  const auto share = key.share();
  if (!share) return forward_error(share);
  auto params = wire::encoded(
      [&](wire::Writer& out) { message::put_ecdh_params(out, key.group(), share->bytes()); });
  if (!params) return fatal(Errc::excessive_message, Alert::internal_error, "ServerECDHParams");
  return *std::move(params);
}

Result<void> send_certificate_request(Context& context) {
  const ConfigOptions& config = context.config;
  return context.send(HandshakeType::certificate_request, wire::kPlaintextEpoch,
                      [&](wire::Writer& out) {
                        message::put_certificate_request12(out, config.signature_schemes,
                                                           announced_authorities(config));
                      });
}

// The flight from ServerKeyExchange to ServerHelloDone.
Result<AfterFlight> send_rest_of_flight(Context& context, WaitSignature&& state, Bytes signature) {
  auto sent = context.send(
      HandshakeType::server_key_exchange, wire::kPlaintextEpoch, [&](wire::Writer& out) {
        out.bytes(state.params);
        message::put_digital_signature(out, context.own.chosen->scheme, signature);
      });
  const bool asks = asks_for_certificate(context.config);
  if (sent && asks) sent = send_certificate_request(context);
  if (sent) {
    sent =
        context.send(HandshakeType::server_hello_done, wire::kPlaintextEpoch, [](wire::Writer&) {});
  }
  if (!sent) return forward_error(sent);
  if (asks) return AfterFlight(WaitCertificate{state.negotiated, std::move(state.key)});
  context.transcript.stop_keeping_messages();
  return AfterFlight(WaitClientKeyExchange{state.negotiated, std::move(state.key), std::nullopt});
}

}  // namespace

Result<AfterHello> on_client_hello(const ClientHello& hello, const Choice12& choice,
                                   const Incoming& incoming, Context& context) {
  auto key = crypto::EphemeralKey::generate(context.library, *choice.group);
  if (!key) return forward_error(key);
  context.own.chosen = choice.own;
  const auto negotiated = send_server_hello12(hello, choice, incoming, context);
  if (!negotiated) return forward_error(negotiated);
  if (auto sent = send_certificate12(context); !sent) return forward_error(sent);
  auto params = encode_params(*key);
  if (!params) return forward_error(params);
  WaitSignature state{*negotiated, std::move(*key), std::move(*params)};
  const auto signature = sign(context, signed_params(negotiated->randoms, state.params));
  if (!signature) return forward_error(signature);
  if (!*signature) return AfterHello(std::move(state));
  return send_rest_of_flight(context, std::move(state), **signature).map(kWiden<AfterHello>);
}

Result<AfterFlight> on_answer(WaitSignature&& state, const Answer& answer, Context& context) {
  const auto signature = signature_of(context, answer);
  if (!signature) return forward_error(signature);
  return send_rest_of_flight(context, std::move(state), *signature);
}

Result<WaitClientKeyExchange> on(WaitCertificate&& state, const Incoming& incoming,
                                 Context& context) {
  auto key = take_certificate12(context, state.negotiated, Role::client, incoming);
  if (!key) return forward_error(key);
  if (!*key) {
    if (requires_certificate(context.config)) {
      return fatal(Errc::missing_certificate, Alert::handshake_failure);  // RFC 5246 7.4.6
    }
    context.transcript.stop_keeping_messages();
  }
  return WaitClientKeyExchange{state.negotiated, std::move(state.key), std::move(*key)};
}

Result<std::variant<WaitCertificateVerify, WaitFinished>> on(WaitClientKeyExchange&& state,
                                                             const Incoming& incoming,
                                                             Context& context) {
  using Next = std::variant<WaitCertificateVerify, WaitFinished>;
  const auto exchange = expect<message::ClientKeyExchange>(incoming);
  if (!exchange) return forward_error(exchange);
  const auto premaster = state.key.derive(context.library, exchange->point);
  if (!premaster) return forward_error(premaster);
  if (auto added = context.transcript.add(incoming.encoding); !added) return forward_error(added);
  auto master = derive_master(context, state.negotiated, premaster->bytes());
  if (!master) return forward_error(master);
  Session12 session{state.negotiated, std::move(*master), state.key.group()};
  const auto installed = install_keys(context, session.negotiated, session.master, Role::server);
  if (!installed) return forward_error(installed);
  if (state.peer) return Next(WaitCertificateVerify{std::move(session), std::move(*state.peer)});
  return Next(WaitFinished{std::move(session)});
}

Result<WaitFinished> on(WaitCertificateVerify&& state, const Incoming& incoming, Context& context) {
  const auto verify = expect<message::CertificateVerify>(incoming);
  if (!verify) return forward_error(verify);
  if (!contains(context.config.signature_schemes, verify->scheme) ||
      !crypto::can_sign12(verify->scheme, state.peer.type())) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter,
                 "signature scheme was not offered");
  }
  auto done = state.peer.verify(context.library, verify->scheme, context.transcript.messages(),
                                verify->signature);
  context.peer.identity.signature_scheme = verify->scheme;
  context.transcript.stop_keeping_messages();
  if (done) done = context.transcript.add(incoming.encoding);
  if (!done) return forward_error(done);
  return WaitFinished{std::move(state.session)};
}

Result<Session12> on(WaitFinished&& state, const Incoming& incoming, Context& context) {
  const Session12& session = state.session;
  auto done = check_finished(context, session, Role::client, incoming);
  context.peer.conclude(context.now);
  // In an abbreviated handshake the server has already sent its Finished.
  if (done && !session.negotiated.resumed) {
    context.transport.begin_flight();
    if (context.resumption12.ticket_follows) done = send_ticket12(context, session);
    if (done) done = send_finished(context, session, Role::server);
  }
  if (!done) return forward_error(done);
  keep_session12(context, session, Role::server);
  return std::move(state.session);
}

}  // namespace sluice::dtls::handshake::server12
