#include "handshake13/server13.h"

#include <algorithm>
#include <array>

#include "crypto/key_exchange.h"
#include "crypto/library.h"
#include "message/certificate_request13.h"
#include "message/key_share.h"
#include "message/server_hello.h"
#include "negotiation/config_rules.h"
#include "negotiation/groups.h"
#include "negotiation/hello_editor.h"
#include "negotiation/hello_retry.h"
#include "negotiation/peer_certificate.h"
#include "negotiation/stored_session.h"
#include "negotiation/widen.h"

namespace sluice::dtls::handshake::server13 {
namespace {

using message::ClientHello;
using wire::ExtensionType;
using wire::HandshakeType;

constexpr std::byte kNullCompression{0};

Result<void> check_hello(const ClientHello& hello) {
  // RFC 8446 section 4.1.2, RFC 9147 section 5.3.
  const bool only_null = hello.compression_methods.size() == 1 &&
                         hello.compression_methods.front() == kNullCompression;
  if (!only_null || hello.legacy_version != ProtocolVersion::dtls12 || !hello.cookie.empty()) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "ClientHello");
  }
  return {};
}

// Chooses from a hello. The suite of a HelloRetryRequest stays (RFC 8446 section 4.1.4): the Config
// that a caller chooses (ConfigRequested) may prefer another than the Listener's.
Result<Choice13> choose(const Context& context, const ClientHello& hello,
                        const schedule::CipherSuite13Parameters* retry_suite) {
  auto choice = choose13(context.config, context.library, hello);
  const bool keeps_suite = retry_suite != nullptr && hello.cipher_suites.contains(retry_suite->id);
  if (choice && keeps_suite && is_suite_offered(context.config, retry_suite->id)) {
    choice->suite = retry_suite;
  }
  return choice;
}

void put_selected_version(wire::Writer& out) {
  message::put_extension(out, ExtensionType::supported_versions,
                         [](wire::Writer& data) { data.code(ProtocolVersion::dtls13); });
}

// RFC 8446 sections 4.1.2 and 4.2.8: the second hello repeats the first except for the extensions
// that may change, and has the one share that the server asked for.
Result<void> check_second_hello(const WaitSecondClientHello& state, const ClientHello& hello,
                                const Choice13& choice, Context& context) {
  const auto changed = [](std::string_view what) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, what);
  };
  // Where the caller has chosen another Config than the Listener's, the client is not at fault.
  const auto& config = context.config;
  if (!is_suite_offered(config, state.suite->id)) {
    return fatal(Errc::no_common_cipher_suite, Alert::handshake_failure,
                 "the Config lacks the suite of the HelloRetryRequest");
  }
  if (state.group &&
      !contains(usable_groups(config, context.library, Role::server, ProtocolVersion::dtls13),
                *state.group)) {
    return fatal(Errc::no_common_group, Alert::handshake_failure,
                 "the Config lacks the group of the HelloRetryRequest");
  }
  const auto repeated = digest_of_repeated13(context.library, hello, state.group.has_value());
  if (!repeated) return forward_error(repeated);
  const bool is_repeated = std::ranges::equal(repeated->bytes(), state.repeated.bytes());
  if (!is_repeated || choice.suite != state.suite) return changed("second ClientHello");
  if (!choice.group && !state.group) return {};
  if (!choice.share && !state.group) {
    return fatal(Errc::no_common_group, Alert::handshake_failure,
                 "the Config has no group of the client's shares");
  }
  if (!choice.share) return changed("key_share of second ClientHello");
  if (!state.group) return {};
  const auto shares =
      message::ClientShares::decode(*hello.extensions.find(ExtensionType::key_share));
  if (choice.group != *state.group || shares->count() != 1) {
    return changed("key_share of second ClientHello");
  }
  return {};
}

// Sends a HelloRetryRequest for a share of the chosen group.
Result<WaitSecondClientHello> send_retry_request(Context& context, const ClientHello& hello,
                                                 const Choice13& choice) {
  const RetryRequest request{choice.suite, choice.group, {}};
  const auto repeated = digest_of_repeated13(context.library, hello, true);
  if (!repeated) return forward_error(repeated);
  context.transport.begin_flight();
  auto done = context.transcript.replace_by_message_hash(context.library);
  if (done) {
    done = context.send(HandshakeType::server_hello, wire::kPlaintextEpoch,
                        [&](wire::Writer& out) { put_retry_request(out, request); });
  }
  if (!done) return forward_error(done);
  return WaitSecondClientHello{request.suite, request.group, *repeated};
}

// A ClientHello, decoded and as the whole message.
struct Hello {
  const ClientHello& fields;
  Bytes encoding;
  const schedule::CipherSuite13Parameters* retry_suite;  // null: this is the first hello

  [[nodiscard]] bool is_second() const { return retry_suite != nullptr; }
};

// This side's share and the shared secret; empty for psk_ke.
Result<std::optional<crypto::Encapsulated>> make_share(crypto::Library& library,
                                                       const Negotiated13& negotiated,
                                                       Bytes client_share) {
  if (!negotiated.group) return std::nullopt;
  auto made = crypto::EphemeralKey::encapsulate(library, *negotiated.group, client_share);
  if (!made) return forward_error(made);
  return std::optional(std::move(*made));
}

void put_choice(wire::Writer& out, const Context& context, const Negotiated13& negotiated,
                ExtensionPlaces message) {
  put_agreed_extensions(out, message,
                        {negotiated.extensions, context.transport.records.connection_ids(),
                         negotiated.psk == schedule::PskKind::resumption});
}

// Sends the ServerHello and installs the keys of the handshake.
Result<schedule::HandshakeSecrets> send_server_hello(Context& context,
                                                     const Negotiated13& negotiated,
                                                     const ChosenPsk* chosen, Bytes client_share) {
  const auto made = make_share(context.library, negotiated, client_share);
  if (!made) return forward_error(made);
  schedule::Random random{};
  auto done = context.library.public_random(random);
  const auto put_extensions = [&](wire::Writer& out) {
    put_selected_version(out);
    if (*made) {
      message::put_extension(out, ExtensionType::key_share, [&](wire::Writer& data) {
        message::put_share(data, {*negotiated.group, (*made)->share.bytes()});
      });
    }
    if (chosen != nullptr) message::put_selected_identity(out, chosen->index);
    put_choice(out, context, negotiated, ExtensionPlaces::server_hello);
  };
  if (done) {
    done = send_server_hello_edited(context, [&](wire::Writer& out) {
      message::put_server_hello(out, random, {}, negotiated.suite->id, put_extensions);
    });
  }
  if (!done) return forward_error(done);
  const auto hash = context.transcript.hash(context.library);
  if (!hash) return forward_error(hash);
  const Bytes psk = chosen != nullptr ? chosen->psk.key.bytes() : Bytes{};
  auto secrets =
      schedule::HandshakeSecrets::derive(context.library, negotiated.suite->hash, psk,
                                         *made ? (*made)->secret.bytes() : Bytes{}, hash->bytes());
  if (!secrets) return forward_error(secrets);
  context.secret_log.add(*secrets);
  const auto& traffic = secrets->traffic();
  done = install_read13(context, negotiated, wire::kHandshakeEpoch13, traffic.client);
  if (done) done = install_write13(context, negotiated, wire::kHandshakeEpoch13, traffic.server);
  if (!done) return forward_error(done);
  return secrets;
}

Result<void> send_certificate_request(Context& context) {
  const ConfigOptions& config = context.config;
  return context.send(HandshakeType::certificate_request, wire::kHandshakeEpoch13,
                      [&](wire::Writer& out) {
                        message::put_certificate_request13(out, config.signature_schemes,
                                                           config.certificate_signature_schemes,
                                                           announced_authorities(config));
                      });
}

// Sends EncryptedExtensions and, without a PSK, CertificateRequest and Certificate (RFC 8446
// section 4.3.2).
Result<void> send_encrypted_messages(Context& context, const Negotiated13& negotiated) {
  auto sent = context.send(
      HandshakeType::encrypted_extensions, wire::kHandshakeEpoch13, [&](wire::Writer& out) {
        const auto extensions = out.vector16();
        put_choice(out, context, negotiated, ExtensionPlaces::encrypted_extensions);
      });
  if (negotiated.psk) return sent;
  if (sent && asks_for_certificate(context.config)) sent = send_certificate_request(context);
  if (sent) sent = send_certificate13(context);
  return sent;
}

Result<Negotiated13> negotiate(Context& context, const ClientHello& hello, const Choice13& choice,
                               const ChosenPsk* psk) {
  auto agreed = agree_on_extensions(context, ProtocolVersion::dtls13, hello.extensions);
  if (!agreed) return forward_error(agreed);
  const auto psk_mode = common_psk_mode(context.config, hello);
  if (!psk_mode) return forward_error(psk_mode);
  return Negotiated13{.suite = choice.suite,
                      .extensions = std::move(*agreed),
                      .group = choice.group,
                      .psk = psk != nullptr ? std::optional(psk->psk.kind) : std::nullopt,
                      .takes_tickets = psk_mode->has_value()};
}

// Finishes the server's flight.
Result<AfterFlight> send_finished(Context& context, WaitSignature&& state) {
  auto& [negotiated, secrets] = state;
  auto sent = send_finished13(context, negotiated, secrets.traffic().server);
  if (!sent) return forward_error(sent);
  const auto hash = context.transcript.hash(context.library);
  if (!hash) return forward_error(hash);
  auto application = schedule::ApplicationSecrets::derive(context.library, negotiated.suite->hash,
                                                          secrets, hash->bytes());
  if (!application) return forward_error(application);
  context.secret_log.add(*application);
  sent = install_write13(context, negotiated, wire::kFirstApplicationEpoch13,
                         application->traffic().server);
  if (!sent) return forward_error(sent);
  Pending13 pending{negotiated, std::move(secrets), std::move(*application)};
  if (!negotiated.psk && asks_for_certificate(context.config)) {
    return AfterFlight(WaitCertificate{std::move(pending)});
  }
  return AfterFlight(WaitFinished{std::move(pending)});
}

Result<AfterFlight> send_signed(Context& context, WaitSignature&& state, Bytes signature) {
  if (auto sent = send_certificate_verify13(context, signature); !sent) {
    return forward_error(sent);
  }
  return send_finished(context, std::move(state));
}

// Sends the server's flight. The hello is in the transcript and has a share of the chosen group, if
// there is one; without a PSK, an identity has been chosen.
Result<AfterHello> send_flight(Context& context, const ClientHello& hello, const Choice13& choice,
                               const ChosenPsk* psk) {
  const auto negotiated = negotiate(context, hello, choice, psk);
  if (!negotiated) return forward_error(negotiated);
  context.transport.begin_flight();
  auto secrets = send_server_hello(context, *negotiated, psk, choice.share.value_or(Bytes{}));
  if (!secrets) return forward_error(secrets);
  if (auto sent = send_encrypted_messages(context, *negotiated); !sent) {
    return forward_error(sent);
  }
  WaitSignature state{*negotiated, std::move(*secrets)};
  if (psk != nullptr) {
    if (auto known = authenticate_by(context, psk->psk, Role::server); !known) {
      return forward_error(known);
    }
    return send_finished(context, std::move(state)).map(kWiden<AfterHello>);
  }
  const auto signature = sign13(context, Role::server);
  if (!signature) return forward_error(signature);
  if (!*signature) return AfterHello(std::move(state));
  return send_signed(context, std::move(state), **signature).map(kWiden<AfterHello>);
}

// Checks the binder of the PSK that was found and chooses suite and mode for it. Empty if no PSK
// was found or no suite fits its hash.
Result<std::optional<ChosenPsk>> take_psk(Context& context, const Hello& hello, Choice13& choice,
                                          const std::optional<message::OfferedPsks>& offered,
                                          std::optional<ChosenPsk> found) {
  const auto* suite =
      found ? choose_suite13(context.config, hello.fields, found->psk.hash) : nullptr;
  // The suite of a HelloRetryRequest stays (RFC 8446 section 4.1.4).
  if (suite == nullptr || (hello.is_second() && suite->hash != choice.suite->hash)) {
    return std::nullopt;
  }
  if (auto bound = check_binder(context, *found, *offered, hello.encoding); !bound) {
    return forward_error(bound);
  }
  if (!hello.is_second()) choice.suite = suite;
  const auto mode = common_psk_mode(context.config, hello.fields);
  if (!mode) return forward_error(mode);
  if (*mode == PskKeyExchangeMode::psk_ke) {
    choice.group.reset();
    choice.share.reset();
  }
  return found;
}

// Answers a hello when PSK or identity has been chosen.
Result<AfterHello> answer_hello(Context& context, const Hello& hello, const Choice13& choice,
                                const ChosenPsk* psk) {
  auto done = context.transcript.add(hello.encoding);
  if (done && !hello.is_second()) {
    done = context.transcript.start_hash(context.library, choice.suite->hash,
                                         Transcript::Form::dtls13);
  }
  if (!done) return forward_error(done);
  return send_flight(context, hello.fields, choice, psk);
}

// Answers the hello with a certificate.
Result<AfterHello> answer_by_identity(Context& context, const Hello& hello,
                                      const Choice13& choice) {
  const auto criteria = certificate_criteria(hello.fields.extensions);
  if (!criteria) return forward_error(criteria);
  if (context.must_ask_for_identity()) {
    ask_for_identity(context, *criteria);
    return AfterHello(
        WaitIdentity{Buffer(hello.encoding.begin(), hello.encoding.end()), hello.retry_suite});
  }
  auto own = choose_identity13(context, *criteria);
  if (!own) return forward_error(own);
  context.own.chosen = std::move(*own);
  return answer_hello(context, hello, choice, nullptr);
}

// Answers the hello with the PSK that was found, or else with a certificate.
Result<AfterHello> authenticate(Context& context, const Hello& hello, Choice13 choice,
                                const std::optional<message::OfferedPsks>& offered,
                                std::optional<ChosenPsk> found) {
  const auto psk = take_psk(context, hello, choice, offered, std::move(found));
  if (!psk) return forward_error(psk);
  if (*psk) return answer_hello(context, hello, choice, &**psk);
  // RFC 8446 section 4.2.11: an unknown identity looks like a wrong binder from outside.
  const bool has_certificate =
      !context.config.identities.empty() || context.config.ask_for_identity;
  if (offered && (!has_certificate || !choice.group)) {
    return fatal(Errc::psk_mismatch, Alert::decrypt_error,
                 "none of the client's PSK identities is known here");
  }
  // psk_dhe_ke without a share.
  if (!choice.group) return missing_extension("key_share");
  // take_offered_psks() ignores PSKs of other modes.
  if (!has_certificate && hello.fields.extensions.has(wire::ExtensionType::pre_shared_key)) {
    return fatal(Errc::psk_mismatch, Alert::handshake_failure, kPskKeOnly);
  }
  return answer_by_identity(context, hello, choice);
}

// Looks for a PSK, asks the caller if necessary, and answers the hello.
Result<AfterHello> take_hello(Context& context, const Hello& hello, const Choice13& choice) {
  if (auto taken = take_session_terms(context, hello.fields.extensions); !taken) {
    return forward_error(taken);
  }
  const auto offered = take_offered_psks(context.config, hello.fields);
  if (!offered) return forward_error(offered);
  if (!*offered) return authenticate(context, hello, choice, {}, {});
  auto found = find_psk(context, **offered);
  if (!found) return forward_error(found);
  if (*found || !asks_for_psk(context.config)) {
    return authenticate(context, hello, choice, *offered, std::move(*found));
  }
  context.ask(PskRequested{{}, psk_identities(**offered), {}});
  return AfterHello(
      WaitPsk{Buffer(hello.encoding.begin(), hello.encoding.end()), hello.retry_suite});
}

}  // namespace

Result<Choice13> check_client_hello13(const ConfigOptions& config, const crypto::Library& library,
                                      const ClientHello& hello) {
  if (auto checked = check_hello(hello); !checked) return forward_error(checked);
  return choose13(config, library, hello);
}

Result<WaitSecondClientHello> after_stateless_retry(const StatelessRetry& retry, Context& context) {
  context.version = ProtocolVersion::dtls13;
  context.transport.records.set_version(ProtocolVersion::dtls12);
  if (auto known = context.set_policy(Role::server); !known) return forward_error(known);
  auto done = context.transcript.start_after_message_hash(context.library, retry.suite->hash,
                                                          retry.first_hello.bytes());
  Buffer encoding;
  const bool fits = message::put_message(
      encoding, HandshakeType::server_hello, wire::MessageSeq{0},
      [&](wire::Writer& out) { put_retry_request(out, {retry.suite, retry.group, retry.cookie}); });
  if (!fits) return fatal(Errc::excessive_message, Alert::internal_error, "HelloRetryRequest");
  if (done) done = context.transcript.add(encoding);
  if (!done) return forward_error(done);
  return WaitSecondClientHello{retry.suite, retry.group, retry.repeated};
}

Result<AfterHello> on_client_hello(const ClientHello& hello, const Incoming& incoming,
                                   Context& context) {
  const auto choice = check_client_hello13(context.config, context.library, hello);
  if (!choice) return forward_error(choice);
  if (choice->share || !choice->group) {
    return take_hello(context, {hello, incoming.encoding, nullptr}, *choice);
  }
  auto done = context.transcript.add(incoming.encoding);
  if (done) {
    done = context.transcript.start_hash(context.library, choice->suite->hash,
                                         Transcript::Form::dtls13);
  }
  if (!done) return forward_error(done);
  return send_retry_request(context, hello, *choice).map(kWiden<AfterHello>);
}

Result<AfterHello> on(WaitSecondClientHello&& state, const Incoming& incoming, Context& context) {
  const auto hello = expect<ClientHello>(incoming);
  if (!hello) return forward_error(hello);
  show_hello(context, *hello, incoming.body());
  if (auto checked = check_hello(*hello); !checked) return forward_error(checked);
  const auto choice = choose(context, *hello, state.suite);
  if (!choice) return forward_error(choice);
  if (auto checked = check_second_hello(state, *hello, *choice, context); !checked) {
    return forward_error(checked);
  }
  return take_hello(context, {*hello, incoming.encoding, state.suite}, *choice);
}

// The hello was checked before the question was asked.
Result<AfterHello> on_answer(WaitPsk&& state, const Answer& answer, Context& context) {
  const Bytes body = Bytes(state.hello).subspan(message::kHandshakeHeaderSize);
  const auto hello = ClientHello::decode(body);
  const auto choice = choose(context, *hello, state.retry_suite);
  const auto offered = take_offered_psks(context.config, *hello);
  return authenticate(context, {*hello, state.hello, state.retry_suite}, *choice, *offered,
                      psk_of(answer, **offered, context));
}

Result<AfterHello> on_answer(WaitIdentity&& state, const Answer& answer, Context& context) {
  take_identity(context, answer);
  const Bytes body = Bytes(state.hello).subspan(message::kHandshakeHeaderSize);
  const auto hello = ClientHello::decode(body);
  const auto choice = choose(context, *hello, state.retry_suite);
  return answer_by_identity(context, {*hello, state.hello, state.retry_suite}, *choice);
}

Result<AfterFlight> on_answer(WaitSignature&& state, const Answer& answer, Context& context) {
  const auto signature = signature_of(context, answer);
  if (!signature) return forward_error(signature);
  return send_signed(context, std::move(state), *signature);
}

Result<std::variant<WaitCertificateVerify, WaitFinished>> on(WaitCertificate&& state,
                                                             const Incoming& incoming,
                                                             Context& context) {
  using Next = std::variant<WaitCertificateVerify, WaitFinished>;
  auto key = take_certificate13(context, state.pending.negotiated, Role::client, incoming);
  if (!key) return forward_error(key);
  if (*key) return Next(WaitCertificateVerify{std::move(state.pending), std::move(**key)});
  if (requires_certificate(context.config)) {
    return fatal(Errc::missing_certificate, Alert::certificate_required);
  }
  return Next(WaitFinished{std::move(state.pending)});
}

Result<WaitFinished> on(WaitCertificateVerify&& state, const Incoming& incoming, Context& context) {
  return check_certificate_verify13(context, state.peer, Role::client, incoming).map([&] {
    return WaitFinished{std::move(state.pending)};
  });
}

Result<Session13> on(WaitFinished&& state, const Incoming& incoming, Context& context) {
  auto& [negotiated, handshake, application] = state.pending;
  auto done = check_finished13(context, negotiated, handshake.traffic().client, incoming);
  if (!done) return forward_error(done);
  auto resumption = keep_for_resumption(context, negotiated, handshake);
  if (!resumption) return forward_error(resumption);
  const auto& traffic = application.traffic();
  done = install_read13(context, negotiated, wire::kFirstApplicationEpoch13, traffic.client);
  if (!done) return forward_error(done);
  context.transport.old_read_secret = handshake.traffic().client.clone();
  return Session13{negotiated, std::move(*resumption),
                   SessionSecrets(traffic, application.exporter())};
}

}  // namespace sluice::dtls::handshake::server13
