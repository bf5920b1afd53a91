#include "handshake13/client13.h"

#include <algorithm>

#include "message/certificate_request13.h"
#include "message/encrypted_extensions.h"
#include "message/key_share.h"
#include "negotiation/config_rules.h"
#include "negotiation/extension_table.h"
#include "negotiation/hello_editor.h"
#include "negotiation/selection.h"
#include "negotiation/stored_session.h"
#include "negotiation/widen.h"

namespace sluice::dtls::handshake::client13 {
namespace {

using wire::ExtensionType;
using wire::HandshakeType;

// The PSK that the server chose from the offer.
Result<std::optional<Psk13>> chosen_psk(std::vector<PskOffer>& offers,
                                        const schedule::CipherSuite13Parameters& suite,
                                        const message::ServerHello& hello) {
  const auto data = hello.extensions.find(ExtensionType::pre_shared_key);
  if (!data) return std::nullopt;
  if (offers.empty()) return fatal(Errc::unsupported_extension, Alert::unsupported_extension);
  const auto selected = message::decode_selected_identity(*data);
  if (!selected) return fatal(Errc::decode_error, Alert::decode_error, "pre_shared_key");
  // RFC 8446 section 4.2.11.
  if (*selected >= offers.size() || offers[*selected].psk.hash != suite.hash) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "pre_shared_key");
  }
  return std::move(offers[*selected].psk);
}

struct KeyAgreement {
  NamedGroup group;
  crypto::SharedSecret secret;
};

// Empty for psk_ke, which a server chooses by sending no key_share (RFC 8446 section 4.2.9).
Result<std::optional<KeyAgreement>> agree_on_key(const std::vector<crypto::EphemeralKey>& keys,
                                                 const message::ServerHello& hello,
                                                 const std::optional<Psk13>& psk,
                                                 Context& context) {
  const auto data = hello.extensions.find(ExtensionType::key_share);
  const bool may_omit = psk && has_mode(context.config, PskKeyExchangeMode::psk_ke);
  if (!data && may_omit) return std::nullopt;
  if (!data) return missing_extension("key_share");
  if (keys.empty()) return fatal(Errc::unsupported_extension, Alert::unsupported_extension);
  const auto share = message::decode_server_share(*data);
  if (!share) return fatal(Errc::decode_error, Alert::decode_error, "key_share");
  const auto own = std::ranges::find(keys, share->group, &crypto::EphemeralKey::group);
  if (own == keys.end()) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "group was not offered");
  }
  auto secret = own->derive(context.library, share->key_exchange);
  if (!secret) return forward_error(secret);
  return KeyAgreement{share->group, std::move(*secret)};
}

Result<WaitCertificateVerify> on_certificate(const Negotiated13& negotiated,
                                             schedule::HandshakeSecrets&& secrets,
                                             CertificateRequested requested,
                                             const Incoming& incoming, Context& context) {
  auto key = take_certificate13(context, negotiated, Role::server, incoming);
  if (!key) return forward_error(key);
  // RFC 8446 section 4.4.2.4: a server's must not be empty.
  if (!*key) return fatal(Errc::missing_certificate, Alert::decode_error);
  return WaitCertificateVerify{negotiated, std::move(secrets), requested, std::move(**key)};
}

// The criteria in a CertificateRequest. Errors: missing_extension, decode_error.
Result<message::CertificateCriteria> criteria_of_request(
    const Negotiated13& negotiated, const message::CertificateRequest13& request) {
  if (!request.extensions.has(ExtensionType::signature_algorithms)) {
    return fatal(Errc::illegal_parameter, Alert::missing_extension, "signature_algorithms");
  }
  return certificate_criteria(request.extensions).map([&](message::CertificateCriteria criteria) {
    criteria.types =
        message::CertificateTypeSet::only(negotiated.extensions.certificate_type(Role::client));
    return criteria;
  });
}

std::optional<OwnIdentity> choose_own(const Context& context,
                                      const message::CertificateCriteria& criteria) {
  return choose_identity(context, {}, criteria, crypto::can_sign13);
}

// Finishes the client's last flight.
Result<Session13> send_finished(Context& context, WaitSignature&& state) {
  const auto& [negotiated, secrets, application] = state;
  auto done = send_finished13(context, negotiated, secrets.traffic().client);
  const auto& traffic = state.application.traffic();
  if (done)
    done = install_read13(context, negotiated, wire::kFirstApplicationEpoch13, traffic.server);
  if (done)
    done = install_write13(context, negotiated, wire::kFirstApplicationEpoch13, traffic.client);
  if (!done) return forward_error(done);
  auto resumption = keep_for_resumption(context, negotiated, secrets);
  if (!resumption) return forward_error(resumption);
  return Session13{negotiated, std::move(*resumption),
                   SessionSecrets(traffic, state.application.exporter())};
}

Result<Session13> send_signed(Context& context, WaitSignature&& state, Bytes signature) {
  if (auto sent = send_certificate_verify13(context, signature); !sent) {
    return forward_error(sent);
  }
  return send_finished(context, std::move(state));
}

}  // namespace

Result<WaitEncryptedExtensions> on_server_hello(Offer&& offer,
                                                const schedule::CipherSuite13Parameters& suite,
                                                const message::ServerHello& hello,
                                                Context& context) {
  if (!all_belong_in(hello.extensions, ExtensionPlaces::server_hello))
    return fatal(Errc::unsupported_extension, Alert::unsupported_extension);
  auto psk = chosen_psk(offer.psks, suite, hello);
  if (!psk) return forward_error(psk);
  const auto agreed = agree_on_key(offer.keys, hello, *psk, context);
  if (!agreed) return forward_error(agreed);
  const auto hash = context.transcript.hash(context.library);
  if (!hash) return forward_error(hash);
  const Bytes psk_bytes = *psk ? std::as_const(**psk).key.bytes() : Bytes{};
  const Bytes shared = *agreed ? (*agreed)->secret.bytes() : Bytes{};
  auto secrets = schedule::HandshakeSecrets::derive(context.library, suite.hash, psk_bytes, shared,
                                                    hash->bytes());
  if (!secrets) return forward_error(secrets);
  context.secret_log.add(*secrets);

  Negotiated13 negotiated{
      .suite = &suite,
      .group = *agreed ? std::optional((*agreed)->group) : std::nullopt,
      .psk = *psk ? std::optional((*psk)->kind) : std::nullopt,
      .takes_tickets = context.config.resumption != Resumption::none,
  };
  auto done = accept_extensions(context, ProtocolVersion::dtls13, ExtensionPlaces::server_hello,
                                hello.extensions, negotiated.extensions);
  if (!done) return forward_error(done);
  context.transport.records.set_version(ProtocolVersion::dtls12);
  const auto& traffic = secrets->traffic();
  done = install_read13(context, negotiated, wire::kHandshakeEpoch13, traffic.server);
  if (done) done = install_write13(context, negotiated, wire::kHandshakeEpoch13, traffic.client);
  if (!done) return forward_error(done);
  return WaitEncryptedExtensions{negotiated, std::move(*secrets), std::move(*psk)};
}

Result<std::variant<WaitCertificateRequest, WaitFinished>> on(WaitEncryptedExtensions&& state,
                                                              const Incoming& incoming,
                                                              Context& context) {
  using Next = std::variant<WaitCertificateRequest, WaitFinished>;
  const auto message = expect<message::EncryptedExtensions>(incoming);
  if (!message) return forward_error(message);
  const auto& extensions = message->extensions;
  const bool offered = extensions.all_of(
      [&](const auto& extension) { return is_solicited(context, extension.type); });
  if (!offered) return fatal(Errc::unsupported_extension, Alert::unsupported_extension);
  const bool in_place = extensions.all_of([&](const auto& extension) {
    return belongs_in(extension.type, ExtensionPlaces::encrypted_extensions) ||
           !is_offered(context.config, extension.type);  // a HelloHook has added it
  });
  if (!in_place)
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "EncryptedExtensions");
  const auto accepted =
      accept_extensions(context, ProtocolVersion::dtls13, ExtensionPlaces::encrypted_extensions,
                        extensions, state.negotiated.extensions);
  if (!accepted) return forward_error(accepted);
  if (auto added = context.transcript.add(incoming.encoding); !added) {
    return forward_error(added);
  }
  if (!state.psk) return Next(WaitCertificateRequest{state.negotiated, std::move(state.secrets)});
  if (auto known = authenticate_by(context, *state.psk, Role::client); !known) {
    return forward_error(known);
  }
  return Next(WaitFinished{state.negotiated, std::move(state.secrets), CertificateRequested::no});
}

Result<AfterRequest> on(WaitCertificateRequest&& state, const Incoming& incoming,
                        Context& context) {
  using Next = AfterRequest;
  if (incoming.type != HandshakeType::certificate_request) {
    return on_certificate(state.negotiated, std::move(state.secrets), CertificateRequested::no,
                          incoming, context)
        .map(kWiden<Next>);
  }
  const auto request = expect<message::CertificateRequest13>(incoming);
  if (!request) return forward_error(request);
  if (!request->context.empty()) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "certificate_request_context");
  }
  const auto criteria = criteria_of_request(state.negotiated, *request);
  if (!criteria) return forward_error(criteria);
  if (auto added = context.transcript.add(incoming.encoding); !added) {
    return forward_error(added);
  }
  if (context.must_ask_for_identity()) {
    ask_for_identity(context, *criteria);
    const Bytes body = incoming.body();
    return Next(
        WaitIdentity{state.negotiated, std::move(state.secrets), Buffer(body.begin(), body.end())});
  }
  context.own.chosen = choose_own(context, *criteria);
  return Next(WaitCertificate{state.negotiated, std::move(state.secrets)});
}

Result<WaitCertificate> on_answer(WaitIdentity&& state, const Answer& answer, Context& context) {
  take_identity(context, answer);
  const auto request = message::CertificateRequest13::decode(state.request);
  context.own.chosen = choose_own(context, *criteria_of_request(state.negotiated, *request));
  return WaitCertificate{state.negotiated, std::move(state.secrets)};
}

Result<WaitCertificateVerify> on(WaitCertificate&& state, const Incoming& incoming,
                                 Context& context) {
  return on_certificate(state.negotiated, std::move(state.secrets), CertificateRequested::yes,
                        incoming, context);
}

Result<WaitFinished> on(WaitCertificateVerify&& state, const Incoming& incoming, Context& context) {
  return check_certificate_verify13(context, state.peer, Role::server, incoming).map([&] {
    return WaitFinished{state.negotiated, std::move(state.secrets), state.requested};
  });
}

Result<AfterFinished> on(WaitFinished&& state, const Incoming& incoming, Context& context) {
  const Negotiated13& negotiated = state.negotiated;
  auto done = check_finished13(context, negotiated, state.secrets.traffic().server, incoming);
  if (!done) return forward_error(done);
  const auto hash = context.transcript.hash(context.library);
  if (!hash) return forward_error(hash);
  auto application = schedule::ApplicationSecrets::derive(context.library, negotiated.suite->hash,
                                                          state.secrets, hash->bytes());
  if (!application) return forward_error(application);
  context.secret_log.add(*application);
  context.transport.begin_flight();
  WaitSignature next{negotiated, std::move(state.secrets), std::move(*application)};
  if (state.requested == CertificateRequested::no) {
    return send_finished(context, std::move(next)).map(kWiden<AfterFinished>);
  }
  if (auto sent = send_certificate13(context); !sent) return forward_error(sent);
  if (!context.own.chosen)
    return send_finished(context, std::move(next)).map(kWiden<AfterFinished>);
  const auto signature = sign13(context, Role::client);
  if (!signature) return forward_error(signature);
  if (!*signature) return AfterFinished(std::move(next));
  return send_signed(context, std::move(next), **signature).map(kWiden<AfterFinished>);
}

Result<Session13> on_answer(WaitSignature&& state, const Answer& answer, Context& context) {
  const auto signature = signature_of(context, answer);
  if (!signature) return forward_error(signature);
  return send_signed(context, std::move(state), *signature);
}

}  // namespace sluice::dtls::handshake::client13
