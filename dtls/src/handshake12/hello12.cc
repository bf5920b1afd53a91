#include "handshake12/hello12.h"

#include "crypto/library.h"
#include "handshake12/ticket12.h"
#include "message/ec_point_formats.h"
#include "message/renegotiation_info.h"
#include "negotiation/config_rules.h"
#include "negotiation/hello_editor.h"

namespace sluice::dtls::handshake {
namespace {

using message::ClientHello;
using message::ExtensionBlock;
using message::ServerHello;
using wire::ExtensionType;
using wire::HandshakeType;

constexpr std::byte kNullCompression{0};

// The checks of extensions that hello messages of both sides share.
Result<void> check_extensions(const ConfigOptions& config, const ExtensionBlock& extensions) {
  const auto renegotiation = extensions.find(ExtensionType::renegotiation_info);
  if (renegotiation && !message::is_initial_renegotiation_info(*renegotiation)) {
    return fatal(Errc::illegal_parameter, Alert::handshake_failure,
                 "renegotiation_info");  // RFC 5746 3.4, 3.6
  }
  const auto formats = extensions.find(ExtensionType::ec_point_formats);
  if (formats && !message::is_point_format_list(*formats)) {
    return fatal(Errc::decode_error, Alert::decode_error, "ec_point_formats");
  }
  if (formats && !message::has_uncompressed_format(*formats)) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter,
                 "ec_point_formats");  // RFC 8422 5.1.2
  }
  const auto extended = extensions.find(ExtensionType::extended_master_secret);
  if (extended && !extended->empty()) {
    return fatal(Errc::decode_error, Alert::decode_error, "extended_master_secret");
  }
  if (!extended && config.extended_master_secret == ExtendedMasterSecret::require) {
    return fatal(Errc::missing_extended_master_secret, Alert::handshake_failure);  // RFC 7627 5.2
  }
  return {};
}

// RFC 7366 section 2.
Result<void> check_encrypt_then_mac(const schedule::CipherSuite12Parameters& suite,
                                    const ExtensionBlock& extensions) {
  const auto data = extensions.find(ExtensionType::encrypt_then_mac);
  if (data && !data->empty())
    return fatal(Errc::decode_error, Alert::decode_error, "encrypt_then_mac");
  if (needs_encrypt_then_mac(suite) == data.has_value()) return {};
  // RFC 7366 section 3: not allowed with other suites. A CBC suite here requires it.
  return data ? fatal(Errc::illegal_parameter, Alert::illegal_parameter, "encrypt_then_mac")
              : fatal(Errc::no_common_cipher_suite, Alert::handshake_failure, "encrypt_then_mac");
}

Result<Negotiated12> negotiate(Context& context, const ClientHello& hello, const Choice12& choice) {
  auto agreed = agree_on_extensions(context, ProtocolVersion::dtls12, hello.extensions);
  if (!agreed) return forward_error(agreed);
  Negotiated12 negotiated{std::move(*agreed), choice.suite, {hello.random, {}}, false};
  negotiated.resumed = context.resumption12.resumed.has_value();
  negotiated.extended_master_secret =
      hello.extensions.has(ExtensionType::extended_master_secret) &&
      context.config.extended_master_secret != ExtendedMasterSecret::disable;
  auto& random = negotiated.randoms.server;
  if (auto filled = context.library.public_random(random); !filled) return forward_error(filled);
  // RFC 8446 section 4.1.3: lets a client of DTLS 1.3 detect a downgrade.
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
    if (needs_encrypt_then_mac(negotiated.suite)) {
      message::put_empty_extension(out, ExtensionType::encrypt_then_mac);
    }
    if (context.resumption12.ticket_follows) {
      message::put_empty_extension(out, ExtensionType::session_ticket);
    }
    put_agreed_extensions(
        out, kServersAnswers,
        {negotiated.extensions, context.transport.records.connection_ids(), negotiated.resumed});
  };
  return send_server_hello_edited(context, [&](wire::Writer& out) {
    message::put_server_hello(out, negotiated.randoms.server, context.resumption12.session_id,
                              negotiated.suite.id, put_extensions);
  });
}

}  // namespace

Result<Negotiated12> take_server_hello12(const schedule::Random& client_random,
                                         const ServerHello& hello,
                                         const flight::IncomingMessage& incoming,
                                         Context& context) {
  const auto suite = find_suite12(context.config, hello.cipher_suite);
  if (!suite || !is_suite_offered(context.config, suite->id) ||
      !was_suite_sent(context, suite->id)) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "cipher suite was not offered");
  }
  if (hello.compression_method != 0) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "compression");
  }
  // RFC 5246 section 7.4.1.4: no extension that the client did not send.
  const bool solicited = hello.extensions.all_of([&](const ExtensionBlock::Extension& extension) {
    return is_solicited(context, extension.type);
  });
  if (!solicited) return fatal(Errc::unsupported_extension, Alert::unsupported_extension);
  if (auto checked = check_extensions(context.config, hello.extensions); !checked) {
    return forward_error(checked);
  }
  if (auto checked = check_encrypt_then_mac(*suite, hello.extensions); !checked) {
    return forward_error(checked);
  }
  if (auto taken = take_announcement12(context, hello); !taken) return forward_error(taken);
  AgreedExtensions agreed;
  const auto accepted = accept_extensions(context, ProtocolVersion::dtls12, kServersAnswers,
                                          hello.extensions, agreed);
  if (!accepted) return forward_error(accepted);

  context.transport.records.set_version(ProtocolVersion::dtls12);
  auto hashed =
      context.transcript.start_hash(context.library, suite->hash, Transcript::Form::dtls12);
  if (hashed) hashed = context.transcript.add(incoming.encoding);
  if (!hashed) return forward_error(hashed);
  return Negotiated12{std::move(agreed),
                      *suite,
                      {client_random, hello.random},
                      hello.extensions.has(ExtensionType::extended_master_secret)};
}

Result<void> check_client_hello12(const ConfigOptions& config, const ClientHello& hello) {
  if (!contains(hello.compression_methods, kNullCompression)) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "compression");
  }
  return check_extensions(config, hello.extensions);
}

Result<Negotiated12> send_server_hello12(const ClientHello& hello, const Choice12& choice,
                                         const flight::IncomingMessage& incoming,
                                         Context& context) {
  auto negotiated = negotiate(context, hello, choice);
  if (!negotiated) return negotiated;
  auto done = context.transcript.add(incoming.encoding);
  if (done) {
    done =
        context.transcript.start_hash(context.library, choice.suite.hash, Transcript::Form::dtls12);
  }
  context.transport.begin_flight();
  if (done) done = send_server_hello(context, hello, *negotiated);
  if (!done) return forward_error(done);
  return negotiated;
}

}  // namespace sluice::dtls::handshake
