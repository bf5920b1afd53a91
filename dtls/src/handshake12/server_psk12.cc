#include "handshake12/server_psk12.h"

#include <algorithm>
#include <utility>

#include "crypto/library.h"
#include "handshake12/hello12.h"
#include "message/client_key_exchange.h"
#include "message/finished.h"
#include "message/server_key_exchange.h"
#include "negotiation/widen.h"

namespace sluice::dtls::handshake::server_psk12 {
namespace {

using server12::WaitFinished;
using wire::HandshakeType;

// RFC 4279 section 2: without ECDHE and hint the message is left out.
Result<void> send_server_key_exchange(Context& context,
                                      const std::optional<crypto::EphemeralKey>& key) {
  const Buffer& hint = context.config.psk_identity_hint;
  if (!key && hint.empty()) return {};
  std::optional<crypto::KeyShare> share;
  if (key) {
    const auto made = key->share();
    if (!made) return forward_error(made);
    share = *made;
  }
  return context.send(HandshakeType::server_key_exchange, wire::kPlaintextEpoch,
                      [&](wire::Writer& out) {
                        message::put_psk_identity_hint(out, hint);
                        if (share) message::put_ecdh_params(out, key->group(), share->bytes());
                      });
}

// Completes the key exchange.
Result<WaitFinished> use_key(Context& context, const WaitPsk& state, Bytes key) {
  const auto ecdhe = state.ecdhe ? std::optional(state.ecdhe->bytes()) : std::nullopt;
  const auto premaster = schedule::psk_premaster(ecdhe, key);
  auto master = derive_master(context, state.negotiated, premaster.bytes());
  if (!master) return forward_error(master);
  Session12 session{state.negotiated, std::move(*master), state.group};
  const auto installed = install_keys(context, session.negotiated, session.master, Role::server);
  if (!installed) return forward_error(installed);
  if (auto known = context.set_psk_identity(state.identity, key); !known) {
    return forward_error(known);
  }
  return WaitFinished{std::move(session)};
}

// RFC 4279 section 2 lets a server hide that it does not know an identity. It continues with a
// random key, so the client's Finished does not authenticate, as with a wrong key.
Result<WaitFinished> use_random_key(Context& context, const WaitPsk& state) {
  Secret<32> key(32);
  if (auto filled = context.library.random(key.bytes()); !filled) return forward_error(filled);
  return use_key(context, state, std::as_const(key).bytes());
}

}  // namespace

Result<WaitClientKeyExchange> on_client_hello(const message::ClientHello& hello,
                                              const Choice12& choice, const Incoming& incoming,
                                              Context& context) {
  std::optional<crypto::EphemeralKey> key;
  if (choice.group) {
    auto generated = crypto::EphemeralKey::generate(context.library, *choice.group);
    if (!generated) return forward_error(generated);
    key = std::move(*generated);
  }
  const auto negotiated = send_server_hello12(hello, choice, incoming, context);
  if (!negotiated) return forward_error(negotiated);
  context.transcript.stop_keeping_messages();
  auto sent = send_server_key_exchange(context, key);
  if (sent) {
    sent =
        context.send(HandshakeType::server_hello_done, wire::kPlaintextEpoch, [](wire::Writer&) {});
  }
  if (!sent) return forward_error(sent);
  return WaitClientKeyExchange{*negotiated, std::move(key)};
}

Result<std::variant<WaitPsk, WaitFinished>> on(WaitClientKeyExchange&& state,
                                               const Incoming& incoming, Context& context) {
  using Next = std::variant<WaitPsk, WaitFinished>;
  if (incoming.type != HandshakeType::client_key_exchange) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message);
  }
  const auto exchange =
      message::PskClientKeyExchange::decode(incoming.body(), state.key.has_value());
  if (!exchange) return fatal(Errc::decode_error, Alert::decode_error, "ClientKeyExchange");
  WaitPsk next{
      state.negotiated, Buffer(exchange->identity.begin(), exchange->identity.end()), {}, {}};
  if (state.key) {
    auto secret = state.key->derive(context.library, exchange->point);
    if (!secret) return forward_error(secret);
    next.group = state.key->group();
    next.ecdhe = std::move(*secret);
  }
  if (auto added = context.transcript.add(incoming.encoding); !added) {
    return forward_error(added);
  }
  for (const PreSharedKey& known : context.config.pre_shared_keys) {
    if (std::ranges::equal(known.identity(), exchange->identity)) {
      return use_key(context, next, known.key()).map(kWiden<Next>);
    }
  }
  if (!context.config.ask_for_psk) return use_random_key(context, next).map(kWiden<Next>);
  context.ask(PskRequested{{}, {next.identity}, {}});
  return Next(std::move(next));
}

Result<WaitFinished> on_answer(WaitPsk&& state, const Answer& answer, Context& context) {
  if (const auto* use = std::get_if<UsePsk>(&answer)) {
    return use_key(context, state, use->key.key());
  }
  return use_random_key(context, state);
}

}  // namespace sluice::dtls::handshake::server_psk12
