#include "handshake/client12.h"

#include "crypto/certificate_key.h"
#include "handshake/negotiation.h"
#include "handshake/ticket12.h"
#include "message/certificate12.h"
#include "message/certificate_request12.h"
#include "message/client_key_exchange.h"
#include "message/digital_signature.h"
#include "message/finished.h"
#include "message/server_key_exchange.h"

namespace sluice::dtls::handshake::client12 {
namespace {

using wire::HandshakeType;

// Our answer to CertificateRequest.
std::optional<SignatureScheme> choose_own_scheme(const Context& context,
                                                 const message::CertificateRequest12& request) {
  if (!context.config.identity) return std::nullopt;
  const crypto::KeyType type = context.config.identity->credentials().type();
  const auto wanted = type == crypto::KeyType::rsa ? message::ClientCertificateType::rsa_sign
                                                   : message::ClientCertificateType::ecdsa_sign;
  if (!request.accepts(wanted)) return std::nullopt;
  return choose_scheme(context.config, request.schemes, crypto::fits12);
}

Result<void> send_certificate(Context& context, bool with_identity) {
  static const std::vector<Buffer> kNone;
  const auto& chain = with_identity ? context.config.identity->credentials().chain() : kNone;
  return context.send(HandshakeType::certificate, wire::kPlaintextEpoch,
                      [&](wire::Writer& out) { message::put_certificate12(out, chain); });
}

// Sends ClientKeyExchange and returns what both sides now share.
Result<schedule::MasterSecret> exchange_keys(Context& context, const Negotiated12& negotiated,
                                             const ServerShare& peer) {
  const auto made = crypto::EphemeralKey::encapsulate(context.library, peer.group, peer.point);
  if (!made) return tl::unexpected(made.error());
  const auto sent = context.send(
      HandshakeType::client_key_exchange, wire::kPlaintextEpoch,
      [&](wire::Writer& out) { message::put_client_key_exchange(out, made->share.bytes()); });
  if (!sent) return tl::unexpected(sent.error());
  return derive_master(context, negotiated, made->secret.bytes());
}

Result<void> send_certificate_verify(Context& context, SignatureScheme scheme) {
  const auto signature = context.config.identity->credentials().sign(context.library, scheme,
                                                                     context.transcript.messages());
  if (!signature) return tl::unexpected(signature.error());
  return context.send(
      HandshakeType::certificate_verify, wire::kPlaintextEpoch,
      [&](wire::Writer& out) { message::put_digital_signature(out, scheme, *signature); });
}

enum class CertificateRequested : bool { no, yes };

// The whole second flight.
Result<AfterFlight> send_second_flight(Context& context, const Negotiated12& negotiated,
                                       const ServerShare& share, CertificateRequested requested,
                                       std::optional<SignatureScheme> scheme) {
  context.begin_flight();
  if (requested == CertificateRequested::yes) {
    if (auto sent = send_certificate(context, scheme.has_value()); !sent)
      return tl::unexpected(sent.error());
  }
  auto master = exchange_keys(context, negotiated, share);
  if (!master) return tl::unexpected(master.error());
  Session12 session{negotiated, share.group, std::move(*master)};
  if (scheme) {
    if (auto sent = send_certificate_verify(context, *scheme); !sent)
      return tl::unexpected(sent.error());
  }
  context.transcript.stop_keeping_messages();
  auto done = install_keys(context, negotiated, session.master, Role::client);
  if (done) done = send_finished(context, session, Role::client);
  if (!done) return tl::unexpected(done.error());
  return await_last_flight(context, std::move(session));
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
  const auto certificate = expect<message::Certificate12>(incoming);
  if (!certificate) return tl::unexpected(certificate.error());
  if (certificate->chain.empty()) {
    return fatal(Errc::missing_certificate,
                 Alert::decode_error);  // RFC 5246 7.4.2: a server must have one
  }
  auto key = crypto::certificate_key(context.library, certificate->chain.front());
  if (!key) return tl::unexpected(key.error());
  if (!authenticates(state.negotiated.suite.key_exchange, key->type())) {
    return fatal(Errc::unsupported_certificate, Alert::illegal_parameter,
                 "not of the suite's kind");
  }
  context.keep_peer_chain(certificate->chain);
  return context.transcript.add(incoming.encoding).map([&] {
    return WaitServerKeyExchange{state.negotiated, std::move(*key)};
  });
}

Result<WaitCertificateRequest> on(WaitServerKeyExchange&& state, const Incoming& incoming,
                                  Context& context) {
  const auto exchange = expect<message::ServerKeyExchange>(incoming);
  if (!exchange) return tl::unexpected(exchange.error());
  auto share = take_share(context, exchange->group, exchange->point);
  if (!share) return tl::unexpected(share.error());
  if (!contains(context.config.signature_schemes, exchange->scheme) ||
      !crypto::fits12(exchange->scheme, state.peer.type())) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter,
                 "signature scheme was not offered");
  }
  const Buffer signed_data = signed_params(state.negotiated.randoms, exchange->params);
  auto done =
      state.peer.verify(context.library, exchange->scheme, signed_data, exchange->signature);
  if (done) done = context.transcript.add(incoming.encoding);
  if (!done) return tl::unexpected(done.error());
  return WaitCertificateRequest{state.negotiated, std::move(*share)};
}

Result<std::variant<WaitServerHelloDone, WaitNewSessionTicket, WaitFinished>> on(
    WaitCertificateRequest&& state, const Incoming& incoming, Context& context) {
  using Next = std::variant<WaitServerHelloDone, WaitNewSessionTicket, WaitFinished>;
  if (incoming.type != HandshakeType::certificate_request) {
    const auto done = expect<message::ServerHelloDone>(incoming);
    if (!done) return tl::unexpected(done.error());
    if (auto added = context.transcript.add(incoming.encoding); !added)
      return tl::unexpected(added.error());
    return send_second_flight(context, state.negotiated, state.share, CertificateRequested::no,
                              std::nullopt)
        .map([](AfterFlight next) {
          return std::visit([](auto& chosen) { return Next(std::move(chosen)); }, next);
        });
  }
  const auto request = expect<message::CertificateRequest12>(incoming);
  if (!request) return tl::unexpected(request.error());
  return context.transcript.add(incoming.encoding).map([&] {
    return Next(WaitServerHelloDone{state.negotiated, std::move(state.share),
                                    choose_own_scheme(context, *request)});
  });
}

Result<AfterFlight> on(WaitServerHelloDone&& state, const Incoming& incoming, Context& context) {
  const auto done = expect<message::ServerHelloDone>(incoming);
  if (!done) return tl::unexpected(done.error());
  if (auto added = context.transcript.add(incoming.encoding); !added)
    return tl::unexpected(added.error());
  return send_second_flight(context, state.negotiated, state.share, CertificateRequested::yes,
                            state.scheme);
}

Result<WaitFinished> on(WaitNewSessionTicket&& state, const Incoming& incoming, Context& context) {
  return take_ticket12(context, incoming).map([&] {
    return WaitFinished{std::move(state.session)};
  });
}

Result<Session12> on(WaitFinished&& state, const Incoming& incoming, Context& context) {
  auto done = check_finished(context, state.session, Role::server, incoming);
  // Of a resumed session ours is the last flight.
  if (done && state.session.negotiated.resumed) {
    context.begin_flight();
    done = send_finished(context, state.session, Role::client);
  }
  if (!done) return tl::unexpected(done.error());
  keep_session12(context, state.session, Role::client);
  return std::move(state.session);
}

}  // namespace sluice::dtls::handshake::client12
