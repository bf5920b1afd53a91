#include "handshake12/client12.h"

#include "handshake12/ticket12.h"
#include "message/certificate_request12.h"
#include "message/client_key_exchange.h"
#include "message/digital_signature.h"
#include "message/finished.h"
#include "message/server_key_exchange.h"
#include "negotiation/selection.h"
#include "negotiation/widen.h"

namespace sluice::dtls::handshake::client12 {
namespace {

using wire::HandshakeType;

message::CertificateCriteria criteria_of(const Negotiated12& negotiated,
                                         const message::CertificateRequest12& request) {
  auto criteria = message::criteria_of(request);
  criteria.types =
      message::CertificateTypeSet::only(negotiated.extensions.certificate_type(Role::client));
  return criteria;
}

// The certificate that answers CertificateRequest.
std::optional<OwnIdentity> choose_own(const Context& context, const Negotiated12& negotiated,
                                      const message::CertificateRequest12& request) {
  return choose_identity(context, {}, criteria_of(negotiated, request), crypto::can_sign12,
                         [&](crypto::KeyType type) {
                           return request.accepts(type == crypto::KeyType::rsa
                                                      ? message::ClientCertificateType::rsa_sign
                                                      : message::ClientCertificateType::ecdsa_sign);
                         });
}

// Sends ClientKeyExchange and returns the master secret.
Result<schedule::MasterSecret> exchange_keys(Context& context, const Negotiated12& negotiated,
                                             const ServerShare& peer) {
  const auto made = crypto::EphemeralKey::encapsulate(context.library, peer.group, peer.point);
  if (!made) return forward_error(made);
  const auto sent = context.send(
      HandshakeType::client_key_exchange, wire::kPlaintextEpoch,
      [&](wire::Writer& out) { message::put_client_key_exchange(out, made->share.bytes()); });
  if (!sent) return forward_error(sent);
  return derive_master(context, negotiated, made->secret.bytes());
}

enum class CertificateRequested : bool { no, yes };

// The flight after CertificateVerify.
Result<AfterFlight> send_rest_of_flight(Context& context, Session12&& session) {
  context.transcript.stop_keeping_messages();
  auto done = install_keys(context, session.negotiated, session.master, Role::client);
  if (done) done = send_finished(context, session, Role::client);
  if (!done) return forward_error(done);
  return await_last_flight(context, std::move(session));
}

Result<AfterFlight> send_signed_flight(Context& context, Session12&& session, Bytes signature) {
  const auto sent = context.send(
      HandshakeType::certificate_verify, wire::kPlaintextEpoch, [&](wire::Writer& out) {
        message::put_digital_signature(out, context.own.chosen->scheme, signature);
      });
  if (!sent) return forward_error(sent);
  return send_rest_of_flight(context, std::move(session));
}

// The second flight. If the caller holds the key, its rest waits for the signature.
Result<AfterHelloDone> send_second_flight(Context& context, const Negotiated12& negotiated,
                                          const ServerShare& share,
                                          CertificateRequested requested) {
  context.transport.begin_flight();
  if (requested == CertificateRequested::yes) {
    if (auto sent = send_certificate12(context); !sent) return forward_error(sent);
  }
  auto master = exchange_keys(context, negotiated, share);
  if (!master) return forward_error(master);
  Session12 session{negotiated, std::move(*master), share.group};
  if (!context.own.chosen) {
    return send_rest_of_flight(context, std::move(session)).map(kWiden<AfterHelloDone>);
  }
  const auto signature = sign(context, context.transcript.messages());
  if (!signature) return forward_error(signature);
  if (!*signature) return AfterHelloDone(WaitSignature{std::move(session)});
  return send_signed_flight(context, std::move(session), **signature).map(kWiden<AfterHelloDone>);
}

}  // namespace

AfterFlight await_last_flight(const Context& context, Session12&& session) {
  if (context.resumption12.ticket_follows) return WaitNewSessionTicket{std::move(session)};
  return WaitFinished{std::move(session)};
}

Result<ServerShare> take_share(const Context& context, NamedGroup group, Bytes point) {
  const auto offered =
      usable_groups(context.config, context.library, Role::client, ProtocolVersion::dtls12);
  if (!contains(offered, group)) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "group was not offered");
  }
  return ServerShare{group, Buffer(point.begin(), point.end())};
}

Result<WaitServerKeyExchange> on(WaitCertificate&& state, const Incoming& incoming,
                                 Context& context) {
  auto key = take_certificate12(context, state.negotiated, Role::server, incoming);
  if (!key) return forward_error(key);
  // RFC 5246 section 7.4.2: a server must have one.
  if (!*key) return fatal(Errc::missing_certificate, Alert::decode_error);
  if (!authenticates(state.negotiated.suite.key_exchange, (*key)->type())) {
    return fatal(Errc::unsupported_certificate, Alert::illegal_parameter,
                 "not of the suite's kind");
  }
  return WaitServerKeyExchange{state.negotiated, std::move(**key)};
}

Result<WaitCertificateRequest> on(WaitServerKeyExchange&& state, const Incoming& incoming,
                                  Context& context) {
  const auto exchange = expect<message::ServerKeyExchange>(incoming);
  if (!exchange) return forward_error(exchange);
  auto share = take_share(context, exchange->group, exchange->point);
  if (!share) return forward_error(share);
  if (!contains(context.config.signature_schemes, exchange->scheme) ||
      !crypto::can_sign12(exchange->scheme, state.peer.type())) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter,
                 "signature scheme was not offered");
  }
  const Buffer signed_data = signed_params(state.negotiated.randoms, exchange->params);
  auto done =
      state.peer.verify(context.library, exchange->scheme, signed_data, exchange->signature);
  context.peer.identity.signature_scheme = exchange->scheme;
  if (done) done = context.transcript.add(incoming.encoding);
  if (!done) return forward_error(done);
  return WaitCertificateRequest{state.negotiated, std::move(*share)};
}

Result<AfterRequest> on(WaitCertificateRequest&& state, const Incoming& incoming,
                        Context& context) {
  if (incoming.type != HandshakeType::certificate_request) {
    const auto done = expect<message::ServerHelloDone>(incoming);
    if (!done) return forward_error(done);
    if (auto added = context.transcript.add(incoming.encoding); !added) return forward_error(added);
    return send_second_flight(context, state.negotiated, state.share, CertificateRequested::no)
        .map(kWiden<AfterRequest>);
  }
  const auto request = expect<message::CertificateRequest12>(incoming);
  if (!request) return forward_error(request);
  if (auto added = context.transcript.add(incoming.encoding); !added) {
    return forward_error(added);
  }
  if (context.must_ask_for_identity()) {
    ask_for_identity(context, criteria_of(state.negotiated, *request));
    const Bytes body = incoming.body();
    return AfterRequest(
        WaitIdentity{state.negotiated, std::move(state.share), Buffer(body.begin(), body.end())});
  }
  context.own.chosen = choose_own(context, state.negotiated, *request);
  return AfterRequest(WaitServerHelloDone{state.negotiated, std::move(state.share)});
}

Result<WaitServerHelloDone> on_answer(WaitIdentity&& state, const Answer& answer,
                                      Context& context) {
  take_identity(context, answer);
  context.own.chosen =
      choose_own(context, state.negotiated, *message::CertificateRequest12::decode(state.request));
  return WaitServerHelloDone{state.negotiated, std::move(state.share)};
}

Result<AfterHelloDone> on(WaitServerHelloDone&& state, const Incoming& incoming, Context& context) {
  const auto done = expect<message::ServerHelloDone>(incoming);
  if (!done) return forward_error(done);
  if (auto added = context.transcript.add(incoming.encoding); !added) return forward_error(added);
  return send_second_flight(context, state.negotiated, state.share, CertificateRequested::yes);
}

Result<AfterFlight> on_answer(WaitSignature&& state, const Answer& answer, Context& context) {
  const auto signature = signature_of(context, answer);
  if (!signature) return forward_error(signature);
  return send_signed_flight(context, std::move(state.session), *signature);
}

Result<WaitFinished> on(WaitNewSessionTicket&& state, const Incoming& incoming, Context& context) {
  return take_ticket12(context, incoming).map([&] {
    return WaitFinished{std::move(state.session)};
  });
}

Result<Session12> on(WaitFinished&& state, const Incoming& incoming, Context& context) {
  auto done = check_finished(context, state.session, Role::server, incoming);
  context.peer.conclude(context.now);
  // In an abbreviated handshake the client sends the last flight.
  if (done && state.session.negotiated.resumed) {
    context.transport.begin_flight();
    done = send_finished(context, state.session, Role::client);
  }
  if (!done) return forward_error(done);
  keep_session12(context, state.session, Role::client);
  return std::move(state.session);
}

}  // namespace sluice::dtls::handshake::client12
