#include "negotiation/agreed_extensions.h"

#include <algorithm>
#include <array>

#include "message/application_protocols.h"
#include "message/certificate_types.h"
#include "message/max_fragment_length.h"
#include "message/record_size_limit.h"
#include "message/server_name.h"
#include "message/use_srtp.h"
#include "negotiation/extension_table.h"
#include "negotiation/fatal.h"
#include "negotiation/peer_certificate.h"

namespace sluice::dtls::handshake {
namespace {

using message::ExtensionBlock;
using wire::ExtensionType;
using Data = ExtensionAgreement::Data;

// ---- server_name (RFC 6066 section 3)

// requested_server_name() has read the extension before.
Result<void> choose_server_name(const Context& context, ProtocolVersion /*version*/,
                                const Data& /*clients*/, AgreedExtensions& agreed) {
  if (context.terms.server_name.empty()) return {};
  AgreedNames& names = agreed.names.edit();
  names.server_name = context.terms.server_name;
  names.acknowledges_server_name = context.own.chosen && context.own.chosen->is_by_name;
  return {};
}

void put_server_name_choice(wire::Writer& out, const ServersChoice& choice) {
  // Without need some clients (pion before version 3.1.16) take the answer for an error.
  // RFC 6066 section 3: a resumed session has none.
  if (!choice.agreed.names->acknowledges_server_name || choice.resumed) return;
  message::put_empty_extension(out, ExtensionType::server_name);
}

Result<void> accept_server_name(const Context& context, const Data& servers,
                                AgreedExtensions& agreed) {
  if (servers && !servers->empty()) return malformed_extension("server_name");
  const std::string& name = context.config.server_name;
  if (!name.empty()) agreed.names.edit().server_name = name;
  return {};
}

// ---- use_srtp (RFC 5764 section 4.1)

Result<void> choose_srtp(const Context& context, ProtocolVersion /*version*/, const Data& clients,
                         AgreedExtensions& agreed) {
  if (!clients) return {};
  const auto use_srtp = message::UseSrtp::decode(*clients);
  if (!use_srtp) return malformed_extension("use_srtp");
  agreed.srtp_profile = use_srtp->profiles.first_common(context.config.srtp_profiles);
  // RFC 5764 section 4.1.3: a server's MKI is the client's, or empty.
  const Bytes mki = use_srtp->mki;
  if (agreed.srtp_profile && !mki.empty() && mki.size() <= context.config.max_srtp_mki) {
    agreed.names.edit().srtp_mki.assign(mki.begin(), mki.end());
  }
  return {};
}

void put_srtp_choice(wire::Writer& out, const ServersChoice& choice) {
  const AgreedExtensions& agreed = choice.agreed;
  if (!agreed.srtp_profile) return;
  message::put_use_srtp(out, std::array{*agreed.srtp_profile}, agreed.names->srtp_mki);
}

Result<void> accept_srtp(const Context& context, const Data& servers, AgreedExtensions& agreed) {
  if (!servers) return {};
  const auto use_srtp = message::UseSrtp::decode(*servers);
  if (!use_srtp) return malformed_extension("use_srtp");
  const ConfigOptions& config = context.config;
  agreed.srtp_profile = use_srtp->profiles.first_common(config.srtp_profiles);
  const bool single = std::ranges::distance(use_srtp->profiles) == 1;
  if (!agreed.srtp_profile || !single) return illegal_extension("use_srtp");
  if (use_srtp->mki.empty()) return {};
  if (!std::ranges::equal(use_srtp->mki, config.srtp_mki))
    return illegal_extension("use_srtp: srtp_mki");
  agreed.names.edit().srtp_mki = config.srtp_mki;
  return {};
}

// ---- application_layer_protocol_negotiation (RFC 7301)

Result<void> choose_protocol(const Context& context, ProtocolVersion /*version*/,
                             const Data& clients, AgreedExtensions& agreed) {
  if (!clients) return {};
  const auto names = message::decode_application_protocols(*clients);
  if (!names) return malformed_extension("application_layer_protocol_negotiation");
  // A server without protocols ignores the client's.
  const auto& ours = context.config.application_protocols;
  if (ours.empty()) return {};
  const auto chosen = std::ranges::find_if(ours, [&](const std::string& name) {
    return std::ranges::find(*names, name) != names->end();
  });
  if (chosen == ours.end()) {
    return fatal(Errc::no_common_application_protocol, Alert::no_application_protocol);
  }
  agreed.names.edit().application_protocol = *chosen;
  return {};
}

void put_protocol_choice(wire::Writer& out, const ServersChoice& choice) {
  const std::string& protocol = choice.agreed.names->application_protocol;
  if (!protocol.empty()) message::put_application_protocols(out, std::array{protocol});
}

Result<void> accept_protocol(const Context& context, const Data& servers,
                             AgreedExtensions& agreed) {
  if (!servers) return {};
  const auto names = message::decode_application_protocols(*servers);
  if (!names) return malformed_extension("application_layer_protocol_negotiation");
  const auto& ours = context.config.application_protocols;
  if (names->size() != 1 || std::ranges::find(ours, names->front()) == ours.end()) {
    return illegal_extension("application_layer_protocol_negotiation");
  }
  agreed.names.edit().application_protocol = names->front();
  return {};
}

// ---- record_size_limit (RFC 8449)

// RFC 8446 section 5.4 counts the inner content type, too.
constexpr std::size_t largest_record(ProtocolVersion version) {
  return version == ProtocolVersion::dtls13 ? record::kMaxPlaintext + record::kInnerTypeSize
                                            : record::kMaxPlaintext;
}

// A limit above the version's largest record is allowed: it may come from a later version
// (RFC 8449 section 4).
Result<std::uint16_t> read_record_size_limit(Bytes data) {
  const auto limit = message::decode_record_size_limit(data);
  if (!limit) return malformed_extension("record_size_limit");
  if (*limit < kMinimumRecordSizeLimit) return illegal_extension("record_size_limit");
  return *limit;
}

Result<void> choose_record_size_limit(const Context& context, ProtocolVersion version,
                                      const Data& clients, AgreedExtensions& agreed) {
  if (!clients) return {};
  const auto peers = read_record_size_limit(*clients);
  if (!peers) return forward_error(peers);
  // A server without a limit of its own still sends the extension, so that the client learns that
  // the server respects the client's limit.
  const auto ours = offered_record_size_limit(context.config, version);
  agreed.record_size_limits = {ours.value_or(static_cast<std::uint16_t>(largest_record(version))),
                               *peers};
  return {};
}

void put_record_size_limit_choice(wire::Writer& out, const ServersChoice& choice) {
  const auto& limits = choice.agreed.record_size_limits;
  if (limits) message::put_record_size_limit(out, limits->ours);
}

Result<void> accept_record_size_limit(const Context& context, const Data& servers,
                                      AgreedExtensions& agreed) {
  if (!servers) return {};
  const auto peers = read_record_size_limit(*servers);
  if (!peers) return forward_error(peers);
  const ConfigOptions& config = context.config;
  if (const auto ours = offered_record_size_limit(config, config.max_version)) {
    agreed.record_size_limits = {*ours, *peers};
  }
  return {};
}

// ---- max_fragment_length (RFC 6066 section 4)

// What the client asks for; `none` if it does not, or asks for record_size_limit, too (RFC 8449
// section 5).
Result<message::MaxFragmentLength> requested_fragment_length(const ExtensionBlock& clients) {
  const auto data = clients.find(ExtensionType::max_fragment_length);
  if (!data || clients.has(ExtensionType::record_size_limit)) return message::MaxFragmentLength{};
  const auto length = message::decode_max_fragment_length(*data);
  if (!length) return malformed_extension("max_fragment_length");
  if (!message::is_allowed(*length)) return illegal_extension("max_fragment_length");
  return *length;
}

// take_session_terms() has read the extension before.
Result<void> choose_fragment_length(const Context& context, ProtocolVersion /*version*/,
                                    const Data& /*clients*/, AgreedExtensions& agreed) {
  agreed.max_fragment_length = context.terms.max_fragment_length;
  return {};
}

void put_fragment_length_choice(wire::Writer& out, const ServersChoice& choice) {
  const AgreedExtensions& agreed = choice.agreed;
  if (agreed.max_fragment_length == message::MaxFragmentLength::none) return;
  message::put_max_fragment_length(out, agreed.max_fragment_length);
}

Result<void> accept_fragment_length(const Context& context, const Data& servers,
                                    AgreedExtensions& agreed) {
  if (!servers) return {};
  const auto length = message::decode_max_fragment_length(*servers);
  if (!length) return malformed_extension("max_fragment_length");
  if (*length != offered_max_fragment_length(context.config)) {
    return illegal_extension("max_fragment_length");
  }
  agreed.max_fragment_length = *length;
  return {};
}

// ---- client_certificate_type, server_certificate_type (RFC 7250 section 4)

// Without a certificate of the server, which a PSK replaces, neither side sends one.
Result<void> choose_client_type(const Context& context, ProtocolVersion /*version*/,
                                const Data& clients, AgreedExtensions& agreed) {
  if (!clients) return {};
  const auto list = message::decode_certificate_types(*clients);
  if (!list) return malformed_extension("client_certificate_type");
  if (!context.own.chosen || !asks_for_certificate(context.config)) return {};
  for (const CertificateType type : context.config.peer_certificate_types) {
    if (!message::set_of(*list).has(type)) continue;
    agreed.client_certificate_type = type;
    return {};
  }
  return fatal(Errc::unsupported_certificate, Alert::unsupported_certificate,
               "the client has none of peer_certificate_types");
}

void put_client_type_choice(wire::Writer& out, const ServersChoice& choice) {
  const AgreedExtensions& agreed = choice.agreed;
  if (!agreed.client_certificate_type) return;
  message::put_certificate_type(out, ExtensionType::client_certificate_type,
                                *agreed.client_certificate_type);
}

// choose_identity() has read the client's list before.
Result<void> choose_server_type(const Context& context, ProtocolVersion /*version*/,
                                const Data& clients, AgreedExtensions& agreed) {
  if (clients && context.own.chosen) agreed.server_certificate_type = context.own.chosen->type;
  return {};
}

void put_server_type_choice(wire::Writer& out, const ServersChoice& choice) {
  const AgreedExtensions& agreed = choice.agreed;
  if (!agreed.server_certificate_type) return;
  message::put_certificate_type(out, ExtensionType::server_certificate_type,
                                *agreed.server_certificate_type);
}

// The server's choice, which must be one of the types that the client has offered.
Result<std::optional<CertificateType>> read_choice(const Data& servers,
                                                   const std::vector<CertificateType>& offered,
                                                   std::string_view name) {
  if (!servers) return std::nullopt;
  const auto type = message::decode_certificate_type(*servers);
  if (!type) return malformed_extension(name);
  if (std::ranges::find(offered, *type) == offered.end()) return illegal_extension(name);
  return type;
}

Result<void> accept_client_type(const Context& context, const Data& servers,
                                AgreedExtensions& agreed) {
  const ConfigOptions& config = context.config;
  const auto type = read_choice(servers, config.own_certificate_types, "client_certificate_type");
  if (!type) return forward_error(type);
  agreed.client_certificate_type = *type;
  return {};
}

Result<void> accept_server_type(const Context& context, const Data& servers,
                                AgreedExtensions& agreed) {
  const ConfigOptions& config = context.config;
  const auto type = read_choice(servers, config.peer_certificate_types, "server_certificate_type");
  if (!type) return forward_error(type);
  agreed.server_certificate_type = *type;
  return {};
}

}  // namespace

const ExtensionAgreement kServerNameAgreement{choose_server_name, put_server_name_choice,
                                              accept_server_name};
const ExtensionAgreement kUseSrtpAgreement{choose_srtp, put_srtp_choice, accept_srtp};
const ExtensionAgreement kApplicationProtocolAgreement{choose_protocol, put_protocol_choice,
                                                       accept_protocol};
const ExtensionAgreement kRecordSizeLimitAgreement{
    choose_record_size_limit, put_record_size_limit_choice, accept_record_size_limit};
const ExtensionAgreement kMaxFragmentLengthAgreement{
    choose_fragment_length, put_fragment_length_choice, accept_fragment_length};
const ExtensionAgreement kClientCertificateTypeAgreement{choose_client_type, put_client_type_choice,
                                                         accept_client_type};
const ExtensionAgreement kServerCertificateTypeAgreement{choose_server_type, put_server_type_choice,
                                                         accept_server_type};

Result<std::string> requested_server_name(const ExtensionBlock& clients) {
  const auto data = clients.find(ExtensionType::server_name);
  if (!data) return {};
  const auto name = message::decode_server_name(*data);
  if (!name) return malformed_extension("server_name");
  return std::string(*name);
}

Result<void> take_session_terms(Context& context, const ExtensionBlock& clients) {
  auto name = requested_server_name(clients);
  if (!name) return forward_error(name);
  context.terms.server_name = std::move(*name);
  const auto length = requested_fragment_length(clients);
  if (!length) return forward_error(length);
  context.terms.max_fragment_length = *length;
  return {};
}

message::MaxFragmentLength offered_max_fragment_length(const ConfigOptions& config) {
  if (!config.max_fragment_length) return message::MaxFragmentLength::none;
  return message::length_of(*config.max_fragment_length).value_or(message::MaxFragmentLength::none);
}

std::optional<std::uint16_t> offered_record_size_limit(const ConfigOptions& config,
                                                       ProtocolVersion highest) {
  if (!config.record_size_limit) return std::nullopt;
  return static_cast<std::uint16_t>(std::min(*config.record_size_limit, largest_record(highest)));
}

record::ContentLimits content_limits(ProtocolVersion version, const AgreedExtensions& agreed) {
  const auto contents = [&](std::size_t limit) {
    const std::size_t beside = largest_record(version) - record::kMaxPlaintext;
    return static_cast<std::uint16_t>(std::min(limit, largest_record(version)) - beside);
  };
  if (agreed.max_fragment_length != message::MaxFragmentLength::none) {
    const std::uint16_t length = message::size_of(agreed.max_fragment_length);
    // RFC 8446 section 5.4 counts the inner content type, RFC 6066 does not.
    return {.sent = contents(length), .received = length, .plaintext = length};
  }
  if (!agreed.record_size_limits) return {};
  return {.sent = contents(agreed.record_size_limits->peers),
          .received = contents(agreed.record_size_limits->ours)};
}

Result<AgreedExtensions> agree_on_extensions(Context& context, ProtocolVersion version,
                                             const ExtensionBlock& clients) {
  AgreedExtensions agreed;
  for (const ExtensionRow& row : extension_table()) {
    if (row.agreement == nullptr) continue;
    const auto done = row.agreement->choose(context, version, clients.find(row.type), agreed);
    if (!done) return forward_error(done);
  }
  context.transport.records.set_content_limits(content_limits(version, agreed));
  return agreed;
}

void put_agreed_extensions(wire::Writer& out, ExtensionPlaces places, const ServersChoice& choice) {
  for (const ExtensionRow& row : extension_table()) {
    if (row.agreement == nullptr || !have_common(row.places, places)) continue;
    row.agreement->put_choice(out, choice);
  }
}

Result<void> accept_extensions(Context& context, ProtocolVersion version, ExtensionPlaces places,
                               const ExtensionBlock& servers, AgreedExtensions& agreed) {
  // RFC 8449 section 5.
  if (servers.has(ExtensionType::max_fragment_length) &&
      servers.has(ExtensionType::record_size_limit)) {
    return illegal_extension("max_fragment_length beside record_size_limit");
  }
  for (const ExtensionRow& row : extension_table()) {
    if (row.agreement == nullptr || !have_common(row.places, places)) continue;
    const auto done = row.agreement->accept(context, servers.find(row.type), agreed);
    if (!done) return forward_error(done);
  }
  context.transport.records.set_content_limits(content_limits(version, agreed));
  return {};
}

}  // namespace sluice::dtls::handshake
