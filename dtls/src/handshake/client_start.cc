#include "handshake/client_start.h"

#include <algorithm>

#include "crypto/library.h"
#include "handshake12/hello12.h"
#include "handshake12/resume12.h"
#include "message/hello_verify_request.h"
#include "message/key_share.h"
#include "message/server_hello.h"
#include "negotiation/config_rules.h"
#include "negotiation/connection_ids.h"
#include "negotiation/extension_table.h"
#include "negotiation/groups.h"
#include "negotiation/hello_editor.h"
#include "negotiation/selection.h"
#include "negotiation/widen.h"

namespace sluice::dtls::handshake::client_start {
namespace {

using message::ServerHello;
using wire::ExtensionType;

using Next = AfterHello;

Result<void> generate_share(Context& context, Offer& offer, NamedGroup group) {
  auto key = crypto::EphemeralKey::generate(context.library, group);
  if (!key) return forward_error(key);
  offer.keys.push_back(std::move(*key));
  return {};
}

// None with psk_ke alone.
Groups offered_groups(const Context& context) {
  if (!is_offered(context.config, ExtensionType::supported_groups)) return {};
  return usable_groups(context.config, context.library, Role::client, context.config.max_version);
}

// A share of the preferred group. Behind a KEM, which not all servers have, also a share of the
// next group: a few bytes that may save a round trip.
Result<void> generate_first_shares(Context& context, Offer& offer) {
  for (const NamedGroup group : offered_groups(context)) {
    if (auto made = generate_share(context, offer, group); !made) return made;
    if (!crypto::is_kem(group)) break;
  }
  return {};
}

// Takes the session out of the offer; false when there is none.
bool drop_session(Offer& offer) {
  const std::size_t dropped = std::erase_if(offer.psks, [](const PskOffer& psk) {
    return psk.psk.kind == schedule::PskKind::resumption;
  });
  const bool had_session = dropped > 0 || offer.session12;
  offer.session12.reset();
  offer.session_id.clear();
  return had_session;
}

// The record layer knows the ID from now on, because records may arrive before the ServerHello.
Result<void> offer_connection_id(Context& context, Offer& offer) {
  if (!context.config.connection_id_size) return {};
  auto id = make_connection_id(context);
  if (!id) return forward_error(id);
  offer.connection_id = *std::move(id);
  context.transport.records.set_connection_ids(offer.connection_id.bytes(), {});
  return {};
}

// A session whose ticket does not fit beside the rest of the offer is left out: the handshake is
// then a full one.
Result<void> send_first_hello(Context& context, Offer& offer) {
  auto sent = send_client_hello(context, offer);
  if (sent || sent.error().code != Errc::excessive_message || !drop_session(offer)) return sent;
  return send_client_hello(context, offer);
}

Result<Next> on_verify_request(WaitServerHello&& state, const flight::IncomingMessage& incoming,
                               Context& context) {
  const auto request = expect<message::HelloVerifyRequest>(incoming);
  if (!request) return forward_error(request);
  // Only a server that chooses DTLS 1.2 sends it (RFC 9147 section 5.1).
  if (!is_allowed(context.config, ProtocolVersion::dtls12)) {
    return fatal(Errc::no_common_version, Alert::protocol_version, "HelloVerifyRequest");
  }
  // A limit, or a server could request hellos without end.
  if (++state.verify_requests > kMaxVerifyRequests || state.retry_suite != nullptr) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message, "HelloVerifyRequest");
  }
  state.offer.verify_cookie.assign(request->cookie.begin(), request->cookie.end());
  context.transcript.forget_all();
  context.transport.begin_flight();
  return send_client_hello(context, state.offer).map([&] { return Next(std::move(state)); });
}

// The version that a ServerHello chooses (RFC 8446 section 4.2.1).
Result<ProtocolVersion> chosen_version(const ConfigOptions& config, const ServerHello& hello) {
  ProtocolVersion version = hello.version;
  if (const auto data = hello.extensions.find(ExtensionType::supported_versions)) {
    if (!is_offered(config, ExtensionType::supported_versions)) {
      return fatal(Errc::unsupported_extension, Alert::unsupported_extension);
    }
    wire::Reader reader(*data);
    version = reader.code<ProtocolVersion>();
    if (!reader.complete())
      return fatal(Errc::decode_error, Alert::decode_error, "supported_versions");
    // The extension can only name DTLS 1.3, with legacy_version DTLS 1.2.
    if (version != ProtocolVersion::dtls13 || hello.version != ProtocolVersion::dtls12) {
      return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "supported_versions");
    }
  } else if (version == ProtocolVersion::dtls13) {
    return fatal(Errc::no_common_version, Alert::protocol_version);
  }
  if (!is_allowed(config, version)) return fatal(Errc::no_common_version, Alert::protocol_version);
  return version;
}

// RFC 8446 section 4.1.3: a server with DTLS 1.3 marks its random when it chooses DTLS 1.2, and one
// with DTLS 1.2 when it chooses an earlier version; a client of DTLS 1.3 checks for both marks.
// Finished covers the random, so an attacker cannot remove the mark.
bool was_downgraded(const ConfigOptions& config, const ServerHello& hello) {
  const Bytes mark = Bytes(hello.random).last(message::kDowngradeTo12.size());
  return is_allowed(config, ProtocolVersion::dtls13) &&
         (std::ranges::equal(mark, message::kDowngradeTo12) ||
          std::ranges::equal(mark, message::kDowngradeBelow12));
}

Result<const schedule::CipherSuite13Parameters*> chosen_suite13(const Context& context,
                                                                const ServerHello& hello) {
  const auto* suite = schedule::find13(hello.cipher_suite);
  if (suite == nullptr || !contains(context.config.cipher_suites, suite->id) ||
      !was_suite_sent(context, suite->id) || hello.compression_method != 0 ||
      !hello.session_id.empty()) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "ServerHello");
  }
  return suite;
}

Result<Next> on_retry_request(WaitServerHello&& state, const ServerHello& hello,
                              const flight::IncomingMessage& incoming, Context& context) {
  const auto suite = chosen_suite13(context, hello);
  if (!suite) return forward_error(suite);
  if (state.retry_suite != nullptr) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message, "HelloRetryRequest again");
  }
  const auto group_data = hello.extensions.find(ExtensionType::key_share);
  const auto cookie_data = hello.extensions.find(ExtensionType::cookie);
  if (!all_belong_in(hello.extensions, ExtensionPlaces::hello_retry_request))
    return fatal(Errc::unsupported_extension, Alert::unsupported_extension);
  // RFC 8446 section 4.1.4: a request that would change nothing is an error.
  if (!group_data && !cookie_data) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter,
                 "HelloRetryRequest without effect");
  }
  if (cookie_data) {
    wire::Reader reader(*cookie_data);
    const Bytes cookie = reader.vector16();
    if (!reader.complete() || cookie.empty())
      return fatal(Errc::decode_error, Alert::decode_error, "cookie");
    state.offer.retry_cookie.assign(cookie.begin(), cookie.end());
  }
  if (group_data) {
    const auto group = message::decode_selected_group(*group_data);
    if (!group) return fatal(Errc::decode_error, Alert::decode_error, "key_share");
    const bool has_share =
        std::ranges::count(state.offer.keys, *group, &crypto::EphemeralKey::group);
    if (has_share || !contains(offered_groups(context), *group)) {
      return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "group");
    }
    state.offer.keys.clear();
    if (auto made = generate_share(context, state.offer, *group); !made) return forward_error(made);
  }
  // RFC 8446 section 4.1.4: only PSKs with the suite's hash remain.
  std::erase_if(state.offer.psks,
                [&](const PskOffer& offer) { return offer.psk.hash != (*suite)->hash; });
  context.transport.records.set_version(ProtocolVersion::dtls12);
  auto done =
      context.transcript.start_hash(context.library, (*suite)->hash, Transcript::Form::dtls13);
  if (done) done = context.transcript.replace_by_message_hash(context.library);
  if (done) done = context.transcript.add(incoming.encoding);
  context.transport.begin_flight();
  if (done) done = send_client_hello(context, state.offer);
  // The first hello had room for all but the cookie.
  if (!done && cookie_data && done.error().code == Errc::excessive_message) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter,
                 "cookie: no room for it in a ClientHello");
  }
  if (!done) return forward_error(done);
  state.retry_suite = *suite;
  return Next(std::move(state));
}

Result<Next> on_server_hello13(WaitServerHello&& state, const ServerHello& hello,
                               const flight::IncomingMessage& incoming, Context& context) {
  const auto suite = chosen_suite13(context, hello);
  if (!suite) return forward_error(suite);
  // RFC 8446 section 4.1.4: the suite must be that of the HelloRetryRequest.
  if (state.retry_suite != nullptr && state.retry_suite != *suite) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "cipher suite changed");
  }
  auto done =
      state.retry_suite == nullptr
          ? context.transcript.start_hash(context.library, (*suite)->hash, Transcript::Form::dtls13)
          : Result<void>();
  if (done) done = context.transcript.add(incoming.encoding);
  if (!done) return forward_error(done);
  return client13::on_server_hello(std::move(state.offer), **suite, hello, context)
      .map(kWiden<Next>);
}

Result<Next> on_server_hello12(const WaitServerHello& state, const ServerHello& hello,
                               const flight::IncomingMessage& incoming, Context& context) {
  const auto negotiated = take_server_hello12(state.offer.random, hello, incoming, context);
  if (!negotiated) return forward_error(negotiated);
  if (is_resumed12(state.offer, hello)) {
    return resume12(context, state.offer, *negotiated).map(kWiden<Next>);
  }
  context.resumption12.session_id.assign(hello.session_id.begin(), hello.session_id.end());
  if (uses_psk(negotiated->suite.key_exchange)) {
    return Next(client_psk12::WaitServerKeyExchange{*negotiated});
  }
  return Next(client12::WaitCertificate{*negotiated});
}

}  // namespace

Result<WaitServerHello> start(Context& context, const std::optional<ResumableSession>& session) {
  WaitServerHello state;
  if (auto filled = context.library.public_random(state.offer.random); !filled) {
    return forward_error(filled);
  }
  context.secret_log.set_client_random(state.offer.random);
  if (auto known = context.set_policy(Role::client); !known) return forward_error(known);
  context.terms.server_name = context.config.server_name;
  context.terms.max_fragment_length = offered_max_fragment_length(context.config);
  if (auto offered = offer_connection_id(context, state.offer); !offered) {
    return forward_error(offered);
  }
  if (is_allowed(context.config, ProtocolVersion::dtls13)) {
    const auto made = generate_first_shares(context, state.offer);
    if (!made) return forward_error(made);
    state.offer.psks = make_psk_offers(session, context);
  }
  if (auto offered = offer_session12(context, session, state.offer); !offered) {
    return forward_error(offered);
  }
  context.transport.begin_flight();
  return send_first_hello(context, state.offer).map([&] { return std::move(state); });
}

Result<Next> on(WaitServerHello&& state, const flight::IncomingMessage& incoming,
                Context& context) {
  if (incoming.type == wire::HandshakeType::hello_verify_request) {
    return on_verify_request(std::move(state), incoming, context);
  }
  const auto hello = expect<ServerHello>(incoming);
  if (!hello) return forward_error(hello);
  show_hello(context, *hello, incoming.body());
  const auto version = chosen_version(context.config, *hello);
  if (!version) return forward_error(version);
  context.version = *version;
  if (*version == ProtocolVersion::dtls13) {
    // RFC 9147 section 5.1: a DTLS 1.3 server uses HelloRetryRequest instead.
    if (state.verify_requests > 0) {
      return fatal(Errc::illegal_parameter, Alert::illegal_parameter,
                   "DTLS 1.3 after HelloVerifyRequest");
    }
    if (hello->random == message::kHelloRetryRequestRandom) {
      return on_retry_request(std::move(state), *hello, incoming, context);
    }
    return on_server_hello13(std::move(state), *hello, incoming, context);
  }
  // After a HelloRetryRequest the version must be DTLS 1.3.
  if (state.retry_suite != nullptr || was_downgraded(context.config, *hello)) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "downgrade");
  }
  return on_server_hello12(state, *hello, incoming, context);
}

}  // namespace sluice::dtls::handshake::client_start
