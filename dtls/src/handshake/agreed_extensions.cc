#include "handshake/agreed_extensions.h"

#include <algorithm>
#include <array>

#include "handshake/fatal.h"
#include "message/application_protocols.h"
#include "message/server_name.h"
#include "message/use_srtp.h"

namespace sluice::dtls::handshake {
namespace {

using message::ExtensionBlock;
using wire::ExtensionType;

constexpr auto kProtocols = ExtensionType::application_layer_protocol_negotiation;

tl::unexpected<Error> malformed(std::string_view extension) {
  return fatal(Errc::decode_error, Alert::decode_error, extension);
}

tl::unexpected<Error> illegal(std::string_view extension) {
  return fatal(Errc::illegal_parameter, Alert::illegal_parameter, extension);
}

Result<std::optional<SrtpProfile>> choose_srtp_profile(const ConfigOptions& config,
                                                       const ExtensionBlock& clients) {
  const auto data = clients.find(ExtensionType::use_srtp);
  if (!data) return std::nullopt;
  const auto use_srtp = message::UseSrtp::decode(*data);
  if (!use_srtp) return malformed("use_srtp");
  return use_srtp->profiles.first_common(config.srtp_profiles);
}

Result<std::optional<SrtpProfile>> accepted_srtp_profile(const ConfigOptions& config,
                                                         const ExtensionBlock& servers) {
  const auto data = servers.find(ExtensionType::use_srtp);
  if (!data) return std::nullopt;
  const auto use_srtp = message::UseSrtp::decode(*data);
  if (!use_srtp) return malformed("use_srtp");
  const auto profile = use_srtp->profiles.first_common(config.srtp_profiles);
  const bool single = std::ranges::distance(use_srtp->profiles) == 1;
  if (!profile || !single || !use_srtp->mki.empty()) return illegal("use_srtp");
  return profile;
}

// A server that speaks of no protocols takes no notice of them.
Result<std::string> choose_protocol(const ConfigOptions& config, const ExtensionBlock& clients) {
  const auto data = clients.find(kProtocols);
  if (!data) return {};
  const auto names = message::decode_application_protocols(*data);
  if (!names) return malformed("application_layer_protocol_negotiation");
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
  if (!names) return malformed("application_layer_protocol_negotiation");
  const auto& ours = config.application_protocols;
  if (names->size() != 1 || std::ranges::find(ours, names->front()) == ours.end()) {
    return illegal("application_layer_protocol_negotiation");
  }
  return std::string(names->front());
}

}  // namespace

Result<std::string> requested_server_name(const ExtensionBlock& clients) {
  const auto data = clients.find(ExtensionType::server_name);
  if (!data) return {};
  const auto name = message::decode_server_name(*data);
  if (!name) return malformed("server_name");
  return std::string(*name);
}

Result<AgreedExtensions> agree_on_extensions(const ConfigOptions& config,
                                             const ExtensionBlock& clients) {
  const auto profile = choose_srtp_profile(config, clients);
  if (!profile) return tl::unexpected(profile.error());
  auto protocol = choose_protocol(config, clients);
  if (!protocol) return tl::unexpected(protocol.error());
  auto name = requested_server_name(clients);
  if (!name) return tl::unexpected(name.error());
  return AgreedExtensions{*profile, std::move(*protocol), std::move(*name)};
}

void put_agreed_extensions(wire::Writer& out, const AgreedExtensions& agreed) {
  if (agreed.srtp_profile) message::put_use_srtp(out, std::array{*agreed.srtp_profile});
  if (!agreed.application_protocol.empty()) {
    message::put_application_protocols(out, std::array{agreed.application_protocol});
  }
}

Result<AgreedExtensions> accepted_extensions(const ConfigOptions& config,
                                             const ExtensionBlock& servers) {
  const auto profile = accepted_srtp_profile(config, servers);
  if (!profile) return tl::unexpected(profile.error());
  auto protocol = accepted_protocol(config, servers);
  if (!protocol) return tl::unexpected(protocol.error());
  // RFC 6066 section 3: the answer is empty.
  const auto name = servers.find(ExtensionType::server_name);
  if (name && !name->empty()) return malformed("server_name");
  return AgreedExtensions{*profile, std::move(*protocol), config.server_name};
}

}  // namespace sluice::dtls::handshake
