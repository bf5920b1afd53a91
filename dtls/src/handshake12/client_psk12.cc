#include "handshake12/client_psk12.h"

#include "crypto/key_exchange.h"
#include "message/client_key_exchange.h"
#include "message/finished.h"
#include "message/server_key_exchange.h"
#include "negotiation/widen.h"

namespace sluice::dtls::handshake::client_psk12 {
namespace {

using client12::AfterFlight;
using client12::ServerShare;
using client12::WaitFinished;
using client12::WaitNewSessionTicket;
using wire::HandshakeType;

// Sends ClientKeyExchange and returns the master secret.
Result<schedule::MasterSecret> exchange_keys(Context& context, const Negotiated12& negotiated,
                                             const std::optional<ServerShare>& share,
                                             const PreSharedKey& key) {
  std::optional<crypto::Encapsulated> agreed;
  if (share) {
    auto made = crypto::EphemeralKey::encapsulate(context.library, share->group, share->point);
    if (!made) return forward_error(made);
    agreed = std::move(*made);
  }
  const Bytes point = agreed ? agreed->share.bytes() : Bytes{};
  const auto sent = context.send(
      HandshakeType::client_key_exchange, wire::kPlaintextEpoch,
      [&](wire::Writer& out) { message::put_psk_client_key_exchange(out, key.identity(), point); });
  if (!sent) return forward_error(sent);
  const auto premaster = schedule::psk_premaster(
      agreed ? std::optional(agreed->secret.bytes()) : std::nullopt, key.key());
  return derive_master(context, negotiated, premaster.bytes());
}

Result<AfterFlight> send_second_flight(Context& context, const Negotiated12& negotiated,
                                       const std::optional<ServerShare>& share,
                                       const PreSharedKey& key) {
  context.transport.begin_flight();
  context.transcript.stop_keeping_messages();
  auto master = exchange_keys(context, negotiated, share, key);
  if (!master) return forward_error(master);
  const auto group = share ? std::optional(share->group) : std::nullopt;
  Session12 session{negotiated, std::move(*master), group};
  auto done = install_keys(context, negotiated, session.master, Role::client);
  if (done) done = send_finished(context, session, Role::client);
  if (!done) return forward_error(done);
  if (auto known = context.set_psk_identity(key.identity(), key.key()); !known) {
    return forward_error(known);
  }
  return client12::await_last_flight(context, std::move(session));
}

tl::unexpected<Error> no_key() {
  return fatal(Errc::psk_mismatch, Alert::handshake_failure, "no pre-shared key for this server");
}

}  // namespace

Result<std::variant<WaitServerHelloDone, WaitPsk, WaitNewSessionTicket, WaitFinished>> on(
    WaitServerKeyExchange&& state, const Incoming& incoming, Context& context) {
  using Next = std::variant<WaitServerHelloDone, WaitPsk, WaitNewSessionTicket, WaitFinished>;
  const bool with_ecdhe = uses_ecdhe(state.negotiated.suite.key_exchange);
  // Without ECDHE and hint there is no ServerKeyExchange (RFC 4279 section 2).
  if (!with_ecdhe && incoming.type == HandshakeType::server_hello_done) {
    return on(WaitServerHelloDone{state.negotiated, {}, {}}, incoming, context).map(kWiden<Next>);
  }
  if (incoming.type != HandshakeType::server_key_exchange) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message);
  }
  const auto exchange = message::PskServerKeyExchange::decode(incoming.body(), with_ecdhe);
  if (!exchange) return fatal(Errc::decode_error, Alert::decode_error, "ServerKeyExchange");
  WaitServerHelloDone next{
      state.negotiated, Buffer(exchange->hint.begin(), exchange->hint.end()), {}};
  if (with_ecdhe) {
    auto share = client12::take_share(context, exchange->group, exchange->point);
    if (!share) return forward_error(share);
    next.share = std::move(*share);
  }
  if (auto added = context.transcript.add(incoming.encoding); !added) {
    return forward_error(added);
  }
  return Next(std::move(next));
}

Result<AfterHelloDone> on(WaitServerHelloDone&& state, const Incoming& incoming, Context& context) {
  const auto done = expect<message::ServerHelloDone>(incoming);
  if (!done) return forward_error(done);
  if (auto added = context.transcript.add(incoming.encoding); !added) {
    return forward_error(added);
  }
  if (!context.config.pre_shared_keys.empty()) {
    return send_second_flight(context, state.negotiated, state.share,
                              context.config.pre_shared_keys.front())
        .map(kWiden<AfterHelloDone>);
  }
  context.ask(PskRequested{{}, {}, std::move(state.hint)});
  return AfterHelloDone(WaitPsk{state.negotiated, std::move(state.share)});
}

Result<AfterFlight> on_answer(WaitPsk&& state, const Answer& answer, Context& context) {
  const auto* use = std::get_if<UsePsk>(&answer);
  if (use == nullptr) return no_key();
  return send_second_flight(context, state.negotiated, state.share, use->key);
}

}  // namespace sluice::dtls::handshake::client_psk12
