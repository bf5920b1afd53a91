#include "negotiation/agreed_extensions.h"

#include <algorithm>
#include <array>

#include "message/application_protocols.h"
#include "message/record_size_limit.h"
#include "message/server_name.h"
#include "message/use_srtp.h"
#include "negotiation/fatal.h"

namespace sluice::dtls::handshake {
namespace {

using message::ExtensionBlock;
using wire::ExtensionType;

constexpr auto kProtocols = ExtensionType::application_layer_protocol_negotiation;

// Of profile and MKI.
Result<void> choose_srtp(const ConfigOptions& config, const ExtensionBlock& clients,
                         AgreedExtensions& agreed, AgreedNames& names) {
  const auto data = clients.find(ExtensionType::use_srtp);
  if (!data) return {};
  const auto use_srtp = message::UseSrtp::decode(*data);
  if (!use_srtp) return malformed_extension("use_srtp");
  agreed.srtp_profile = use_srtp->profiles.first_common(config.srtp_profiles);
  // RFC 5764 section 4.1.3: the client's, or none.
  if (agreed.srtp_profile && use_srtp->mki.size() <= config.max_srtp_mki) {
    names.srtp_mki.assign(use_srtp->mki.begin(), use_srtp->mki.end());
  }
  return {};
}

Result<void> accept_srtp(const ConfigOptions& config, const ExtensionBlock& servers,
                         AgreedExtensions& agreed, AgreedNames& names) {
  const auto data = servers.find(ExtensionType::use_srtp);
  if (!data) return {};
  const auto use_srtp = message::UseSrtp::decode(*data);
  if (!use_srtp) return malformed_extension("use_srtp");
  agreed.srtp_profile = use_srtp->profiles.first_common(config.srtp_profiles);
  const bool single = std::ranges::distance(use_srtp->profiles) == 1;
  if (!agreed.srtp_profile || !single) return illegal_extension("use_srtp");
  if (use_srtp->mki.empty()) return {};
  if (!std::ranges::equal(use_srtp->mki, config.srtp_mki))
    return illegal_extension("use_srtp: srtp_mki");
  names.srtp_mki = config.srtp_mki;
  return {};
}

// RFC 8446 section 5.4 counts a byte of type besides.
constexpr std::size_t largest_record(ProtocolVersion version) {
  return version == ProtocolVersion::dtls13 ? record::kMaxPlaintext + record::kInnerTypeSize
                                            : record::kMaxPlaintext;
}

// What the peer says: more than the version allows is of another version, or an extension of it
// (RFC 8449 section 4).
Result<std::optional<std::uint16_t>> peers_record_size_limit(const ExtensionBlock& extensions) {
  const auto data = extensions.find(ExtensionType::record_size_limit);
  if (!data) return std::nullopt;
  const auto limit = message::decode_record_size_limit(*data);
  if (!limit) return malformed_extension("record_size_limit");
  if (*limit < kMinimumRecordSizeLimit) return illegal_extension("record_size_limit");
  return limit;
}

// Both sides have spoken, so what was said holds.
void keep_limits(Context& context, ProtocolVersion version, const AgreedExtensions& agreed) {
  context.transport.records.set_content_limits(content_limits(version, agreed));
}

// A server that speaks of no protocols takes no notice of them.
Result<std::string> choose_protocol(const ConfigOptions& config, const ExtensionBlock& clients) {
  const auto data = clients.find(kProtocols);
  if (!data) return {};
  const auto names = message::decode_application_protocols(*data);
  if (!names) return malformed_extension("application_layer_protocol_negotiation");
  if (config.application_protocols.empty()) return {};
  for (const std::string& name : config.application_protocols) {
    if (std::ranges::find(*names, name) != names->end()) return name;
  }
  return fatal(Errc::no_common_application_protocol, Alert::no_application_protocol);
}

Result<std::string> accepted_protocol(const ConfigOptions& config, const ExtensionBlock& servers) {
  const auto data = servers.find(kProtocols);
  if (!data) return {};
  const auto names = message::decode_application_protocols(*data);
  if (!names) return malformed_extension("application_layer_protocol_negotiation");
  const auto& ours = config.application_protocols;
  if (names->size() != 1 || std::ranges::find(ours, names->front()) == ours.end()) {
    return illegal_extension("application_layer_protocol_negotiation");
  }
  return std::string(names->front());
}

}  // namespace

Result<std::string> requested_server_name(const ExtensionBlock& clients) {
  const auto data = clients.find(ExtensionType::server_name);
  if (!data) return {};
  const auto name = message::decode_server_name(*data);
  if (!name) return malformed_extension("server_name");
  return std::string(*name);
}

std::optional<std::uint16_t> offered_record_size_limit(const ConfigOptions& config,
                                                       ProtocolVersion highest) {
  if (!config.record_size_limit) return std::nullopt;
  return static_cast<std::uint16_t>(std::min(*config.record_size_limit, largest_record(highest)));
}

record::ContentLimits content_limits(ProtocolVersion version, const AgreedExtensions& agreed) {
  if (!agreed.record_size_limits) return {};
  const auto contents = [&](std::size_t limit) {
    const std::size_t beside = largest_record(version) - record::kMaxPlaintext;
    return static_cast<std::uint16_t>(std::min(limit, largest_record(version)) - beside);
  };
  return {contents(agreed.record_size_limits->peers), contents(agreed.record_size_limits->ours)};
}

Result<AgreedExtensions> agree_on_extensions(Context& context, ProtocolVersion version,
                                             const ExtensionBlock& clients) {
  const ConfigOptions& config = context.config;
  AgreedExtensions agreed;
  AgreedNames names;
  if (auto srtp = choose_srtp(config, clients, agreed, names); !srtp) {
    return forward_error(srtp);
  }
  auto protocol = choose_protocol(config, clients);
  if (!protocol) return forward_error(protocol);
  names.application_protocol = std::move(*protocol);
  names.server_name = context.server_name;
  agreed.set_names(std::move(names));
  const auto limit = peers_record_size_limit(clients);
  if (!limit) return forward_error(limit);
  if (*limit) {
    // Whoever asks is told, for it to know that its own is kept to.
    const auto ours = offered_record_size_limit(config, version);
    agreed.record_size_limits = {ours.value_or(static_cast<std::uint16_t>(largest_record(version))),
                                 **limit};
  }
  keep_limits(context, version, agreed);
  return agreed;
}

void put_agreed_extensions(wire::Writer& out, const AgreedExtensions& agreed, bool resumed) {
  const auto& [srtp_mki, application_protocol, server_name] = agreed.names();
  if (!server_name.empty() && !resumed) {
    message::put_empty_extension(out, ExtensionType::server_name);
  }
  if (agreed.srtp_profile) {
    message::put_use_srtp(out, std::array{*agreed.srtp_profile}, srtp_mki);
  }
  if (!application_protocol.empty()) {
    message::put_application_protocols(out, std::array{application_protocol});
  }
  if (agreed.record_size_limits) {
    message::put_record_size_limit(out, agreed.record_size_limits->ours);
  }
}

Result<AgreedExtensions> accepted_extensions(Context& context, ProtocolVersion version,
                                             const ExtensionBlock& servers) {
  const ConfigOptions& config = context.config;
  AgreedExtensions agreed;
  AgreedNames names;
  if (auto srtp = accept_srtp(config, servers, agreed, names); !srtp) {
    return forward_error(srtp);
  }
  auto protocol = accepted_protocol(config, servers);
  if (!protocol) return forward_error(protocol);
  names.application_protocol = std::move(*protocol);
  // RFC 6066 section 3: the answer is empty.
  const auto name = servers.find(ExtensionType::server_name);
  if (name && !name->empty()) return malformed_extension("server_name");
  names.server_name = config.server_name;
  agreed.set_names(std::move(names));
  const auto limit = peers_record_size_limit(servers);
  if (!limit) return forward_error(limit);
  if (const auto ours = offered_record_size_limit(config, config.max_version); *limit && ours) {
    agreed.record_size_limits = {*ours, **limit};
  }
  keep_limits(context, version, agreed);
  return agreed;
}

}  // namespace sluice::dtls::handshake
