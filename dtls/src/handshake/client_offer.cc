#include "handshake/client_offer.h"

#include "message/client_hello.h"
#include "message/code_list_extension.h"
#include "message/ec_point_formats.h"
#include "message/renegotiation_info.h"
#include "message/use_srtp.h"

namespace sluice::dtls::handshake {

using wire::ExtensionType;

Result<void> send_client_hello(Context& context, const schedule::Random& random, Bytes cookie) {
  const ConfigOptions& config = context.config;
  const auto put_extensions = [&](wire::Writer& out) {
    message::put_renegotiation_info(out);
    if (is_offered(config, ExtensionType::extended_master_secret)) {
      message::put_empty_extension(out, ExtensionType::extended_master_secret);
    }
    message::put_code_list_extension(out, ExtensionType::supported_groups, config.groups);
    message::put_point_formats(out);
    message::put_code_list_extension(out, ExtensionType::signature_algorithms,
                                     config.signature_schemes);
    if (is_offered(config, ExtensionType::use_srtp))
      message::put_use_srtp(out, config.srtp_profiles);
  };
  return context.send(
      wire::HandshakeType::client_hello, wire::kPlaintextEpoch, [&](wire::Writer& out) {
        message::put_client_hello(out, random, cookie, config.cipher_suites, put_extensions);
      });
}

bool is_offered(const ConfigOptions& config, ExtensionType type) {
  switch (type) {
    case ExtensionType::renegotiation_info:
    case ExtensionType::supported_groups:
    case ExtensionType::ec_point_formats:
    case ExtensionType::signature_algorithms:
      return true;
    case ExtensionType::extended_master_secret:
      return config.extended_master_secret != ExtendedMasterSecret::disable;
    case ExtensionType::use_srtp:
      return !config.srtp_profiles.empty();
    case ExtensionType::supported_versions:
      return false;
  }
  return false;
}

}  // namespace sluice::dtls::handshake
