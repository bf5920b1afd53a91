#include "handshake/server12.h"

#include <array>

#include "crypto/certificate_key.h"
#include "crypto/library.h"
#include "handshake/client_offer.h"
#include "handshake/negotiation.h"
#include "message/certificate12.h"
#include "message/certificate_request12.h"
#include "message/client_hello.h"
#include "message/client_key_exchange.h"
#include "message/digital_signature.h"
#include "message/ec_point_formats.h"
#include "message/finished.h"
#include "message/renegotiation_info.h"
#include "message/server_hello.h"
#include "message/server_key_exchange.h"
#include "message/use_srtp.h"

namespace sluice::dtls::handshake::server12 {
namespace {

using message::ClientHello;
using wire::ExtensionType;
using wire::HandshakeType;

constexpr std::byte kNullCompression{0};

// What the hello must have whatever is chosen from its lists.
Result<void> check_hello(const ConfigOptions& config, const ClientHello& hello) {
  if (!contains(hello.compression_methods, kNullCompression)) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "compression");
  }
  const auto renegotiation = hello.extensions.find(ExtensionType::renegotiation_info);
  if (renegotiation && !message::is_initial_renegotiation_info(*renegotiation)) {
    return fatal(Errc::illegal_parameter, Alert::handshake_failure,
                 "renegotiation_info");  // RFC 5746 3.6
  }
  const auto formats = hello.extensions.find(ExtensionType::ec_point_formats);
  if (formats && !message::is_point_format_list(*formats)) {
    return fatal(Errc::decode_error, Alert::decode_error, "ec_point_formats");
  }
  if (formats && !message::has_uncompressed_format(*formats)) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter,
                 "ec_point_formats");  // RFC 8422 5.1.2
  }
  const auto extended = hello.extensions.find(ExtensionType::extended_master_secret);
  if (extended && !extended->empty()) {
    return fatal(Errc::decode_error, Alert::decode_error, "extended_master_secret");
  }
  if (!extended && config.extended_master_secret == ExtendedMasterSecret::require) {
    return fatal(Errc::missing_extended_master_secret, Alert::handshake_failure);
  }
  return {};
}

Result<Negotiated12> negotiate(Context& context, const ClientHello& hello, const Choice12& choice) {
  const auto profile = choose_srtp_profile(context.config, hello);
  if (!profile) return tl::unexpected(profile.error());
  Negotiated12 negotiated{choice.suite, {hello.random, {}}, false, *profile};
  negotiated.extended_master_secret =
      hello.extensions.has(ExtensionType::extended_master_secret) &&
      context.config.extended_master_secret != ExtendedMasterSecret::disable;
  auto& random = negotiated.randoms.server;
  if (auto filled = context.library.random(random); !filled) return tl::unexpected(filled.error());
  // RFC 8446 section 4.1.3: for a client to see that somebody took 1.3 away.
  if (is_allowed(context.config, ProtocolVersion::dtls13)) {
    std::ranges::copy(message::kDowngradeTo12, random.end() - message::kDowngradeTo12.size());
  }
  return negotiated;
}

Result<void> send_server_hello(Context& context, const ClientHello& hello,
                               const Negotiated12& negotiated) {
  const auto put_extensions = [&](wire::Writer& out) {
    if (hello.extensions.has(ExtensionType::renegotiation_info) ||
        hello.cipher_suites.contains(message::kEmptyRenegotiationInfoScsv)) {
      message::put_renegotiation_info(out);
    }
    if (negotiated.extended_master_secret) {
      message::put_empty_extension(out, ExtensionType::extended_master_secret);
    }
    if (hello.extensions.has(ExtensionType::ec_point_formats)) message::put_point_formats(out);
    if (negotiated.srtp_profile) message::put_use_srtp(out, std::array{*negotiated.srtp_profile});
  };
  return context.send(HandshakeType::server_hello, wire::kPlaintextEpoch, [&](wire::Writer& out) {
    message::put_server_hello(out, negotiated.randoms.server, negotiated.suite->id, put_extensions);
  });
}

Result<void> send_server_key_exchange(Context& context, const Negotiated12& negotiated,
                                      const crypto::EphemeralKey& key, SignatureScheme scheme) {
  const auto share = key.share();
  if (!share) return tl::unexpected(share.error());
  Buffer params;
  wire::Writer writer(params);
  message::put_ecdh_params(writer, key.group(), share->bytes());
  const Buffer signed_data = signed_params(negotiated.randoms, params);
  const auto signature =
      context.config.identity->credentials().sign(context.library, scheme, signed_data);
  if (!signature) return tl::unexpected(signature.error());
  return context.send(HandshakeType::server_key_exchange, wire::kPlaintextEpoch,
                      [&](wire::Writer& out) {
                        out.bytes(params);
                        message::put_digital_signature(out, scheme, *signature);
                      });
}

bool asks_for_certificate(const ConfigOptions& config) {
  return config.peer_authentication == PeerAuthentication::require;
}

// The whole flight from ServerHello to ServerHelloDone.
Result<void> send_first_flight(Context& context, const ClientHello& hello,
                               const Negotiated12& negotiated, const crypto::EphemeralKey& key,
                               SignatureScheme scheme) {
  context.begin_flight();
  auto sent = send_server_hello(context, hello, negotiated);
  if (sent) {
    sent = context.send(HandshakeType::certificate, wire::kPlaintextEpoch, [&](wire::Writer& out) {
      message::put_certificate12(out, context.config.identity->credentials().chain());
    });
  }
  if (sent) sent = send_server_key_exchange(context, negotiated, key, scheme);
  if (sent && asks_for_certificate(context.config)) {
    sent = context.send(HandshakeType::certificate_request, wire::kPlaintextEpoch,
                        [&](wire::Writer& out) {
                          message::put_certificate_request12(out, context.config.signature_schemes);
                        });
  }
  if (sent) {
    sent =
        context.send(HandshakeType::server_hello_done, wire::kPlaintextEpoch, [](wire::Writer&) {});
  }
  return sent;
}

}  // namespace

Result<std::variant<WaitCertificate, WaitClientKeyExchange>> on_client_hello(
    const ClientHello& hello, const Incoming& incoming, Context& context) {
  using Next = std::variant<WaitCertificate, WaitClientKeyExchange>;
  if (auto checked = check_hello(context.config, hello); !checked)
    return tl::unexpected(checked.error());
  const auto choice = choose12(context.config, context.library, hello);
  if (!choice) return tl::unexpected(choice.error());
  const auto negotiated = negotiate(context, hello, *choice);
  if (!negotiated) return tl::unexpected(negotiated.error());
  auto key = crypto::EphemeralKey::generate(context.library, choice->group);
  if (!key) return tl::unexpected(key.error());

  auto done = context.transcript.add(incoming.encoding);
  if (done)
    done = context.transcript.start_hash(context.library, choice->suite->hash,
                                         Transcript::Form::dtls12);
  if (!asks_for_certificate(context.config)) context.transcript.stop_keeping_messages();
  if (done) done = send_first_flight(context, hello, *negotiated, *key, choice->scheme);
  if (!done) return tl::unexpected(done.error());
  if (asks_for_certificate(context.config))
    return Next(WaitCertificate{*negotiated, std::move(*key)});
  return Next(WaitClientKeyExchange{*negotiated, std::move(*key), std::nullopt});
}

Result<WaitClientKeyExchange> on(WaitCertificate&& state, const Incoming& incoming,
                                 Context& context) {
  const auto certificate = expect<message::Certificate12>(incoming);
  if (!certificate) return tl::unexpected(certificate.error());
  if (certificate->chain.empty()) {
    return fatal(Errc::missing_certificate, Alert::handshake_failure);  // RFC 5246 7.4.6
  }
  auto key = crypto::certificate_key(context.library, certificate->chain.front());
  if (!key) return tl::unexpected(key.error());
  for (const Bytes entry : certificate->chain)
    context.peer_chain.emplace_back(entry.begin(), entry.end());
  return context.transcript.add(incoming.encoding).map([&] {
    return WaitClientKeyExchange{state.negotiated, std::move(state.key), std::move(*key)};
  });
}

Result<std::variant<WaitCertificateVerify, WaitFinished>> on(WaitClientKeyExchange&& state,
                                                             const Incoming& incoming,
                                                             Context& context) {
  using Next = std::variant<WaitCertificateVerify, WaitFinished>;
  const auto exchange = expect<message::ClientKeyExchange>(incoming);
  if (!exchange) return tl::unexpected(exchange.error());
  const auto premaster = state.key.derive(context.library, exchange->point);
  if (!premaster) return tl::unexpected(premaster.error());
  if (auto added = context.transcript.add(incoming.encoding); !added)
    return tl::unexpected(added.error());
  auto master = derive_master(context, state.negotiated, *premaster);
  if (!master) return tl::unexpected(master.error());
  Session12 session{state.negotiated, state.key.group(), std::move(*master)};
  const auto installed = install_keys(context, session.negotiated, session.master, Role::server);
  if (!installed) return tl::unexpected(installed.error());
  if (state.peer) return Next(WaitCertificateVerify{std::move(session), std::move(*state.peer)});
  return Next(WaitFinished{std::move(session)});
}

Result<WaitFinished> on(WaitCertificateVerify&& state, const Incoming& incoming, Context& context) {
  const auto verify = expect<message::CertificateVerify>(incoming);
  if (!verify) return tl::unexpected(verify.error());
  if (!contains(context.config.signature_schemes, verify->scheme) ||
      !crypto::fits12(verify->scheme, state.peer.type())) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter,
                 "signature scheme was not offered");
  }
  auto done = state.peer.verify(context.library, verify->scheme, context.transcript.messages(),
                                verify->signature);
  context.transcript.stop_keeping_messages();
  if (done) done = context.transcript.add(incoming.encoding);
  if (!done) return tl::unexpected(done.error());
  return WaitFinished{std::move(state.session)};
}

Result<Session12> on(WaitFinished&& state, const Incoming& incoming, Context& context) {
  if (auto checked = check_finished(context, state.session, Role::client, incoming); !checked) {
    return tl::unexpected(checked.error());
  }
  context.begin_flight();
  return send_finished(context, state.session, Role::server).map([&] {
    return std::move(state.session);
  });
}

}  // namespace sluice::dtls::handshake::server12
