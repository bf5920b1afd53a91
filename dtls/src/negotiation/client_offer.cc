#include "negotiation/client_offer.h"

#include <algorithm>

#include "message/application_protocols.h"
#include "message/client_hello.h"
#include "message/code_list_extension.h"
#include "message/ec_point_formats.h"
#include "message/key_share.h"
#include "message/record_size_limit.h"
#include "message/renegotiation_info.h"
#include "message/server_name.h"
#include "message/use_srtp.h"
#include "negotiation/agreed_extensions.h"
#include "negotiation/config_rules.h"
#include "negotiation/groups.h"
#include "negotiation/hello_editor.h"
#include "negotiation/stored_session.h"

namespace sluice::dtls::handshake {
namespace {

using wire::ExtensionType;

std::vector<CipherSuite> offered_suites(const ConfigOptions& config) {
  std::vector<CipherSuite> suites;
  std::ranges::copy_if(config.cipher_suites, std::back_inserter(suites),
                       [&](CipherSuite suite) { return can_use(config, suite); });
  return suites;
}

void put_supported_versions(wire::Writer& out, const ConfigOptions& config) {
  message::put_extension(out, ExtensionType::supported_versions, [&](wire::Writer& data) {
    const auto list = data.vector8();
    data.code(ProtocolVersion::dtls13);
    if (is_allowed(config, ProtocolVersion::dtls12)) data.code(ProtocolVersion::dtls12);
  });
}

Result<void> put_key_shares(wire::Writer& out, const std::vector<crypto::EphemeralKey>& keys) {
  Result<void> outcome;
  message::put_extension(out, ExtensionType::key_share, [&](wire::Writer& data) {
    const auto list = data.vector16();
    for (const auto& key : keys) {
      const auto share = key.share();
      if (share) {
        message::put_share(data, {key.group(), share->bytes()});
      } else {
        outcome = forward_error(share);
      }
    }
  });
  return outcome;
}

// Extensions that DTLS 1.3 has no use for.
void put_extensions12(wire::Writer& out, const ConfigOptions& config, const Offer& offer) {
  message::put_renegotiation_info(out);
  if (is_offered(config, ExtensionType::extended_master_secret)) {
    message::put_empty_extension(out, ExtensionType::extended_master_secret);
  }
  message::put_point_formats(out);
  if (is_offered(config, ExtensionType::encrypt_then_mac)) {
    message::put_empty_extension(out, ExtensionType::encrypt_then_mac);
  }
  // RFC 5077 section 3.2: empty says that tickets are understood.
  if (is_offered(config, ExtensionType::session_ticket)) {
    message::put_extension(out, ExtensionType::session_ticket, [&](wire::Writer& data) {
      if (offer.session12) data.bytes(offer.session12->session().ticket);
    });
  }
}

Result<void> put_extensions13(wire::Writer& out, const ConfigOptions& config, const Offer& offer) {
  put_supported_versions(out, config);
  if (!offer.retry_cookie.empty()) {
    message::put_extension(out, ExtensionType::cookie, [&](wire::Writer& data) {
      const auto cookie = data.vector16();
      data.bytes(offer.retry_cookie);
    });
  }
  auto shares = put_key_shares(out, offer.keys);
  if (is_offered(config, ExtensionType::psk_key_exchange_modes)) {
    message::put_psk_key_exchange_modes(out);
  }
  // Behind all others: the binders sign what stands before them.
  if (!offer.psks.empty()) put_psk_offers(out, offer.psks);
  return shares;
}

}  // namespace

Result<void> send_client_hello(Context& context, const Offer& offer) {
  const ConfigOptions& config = context.config;
  const auto groups = usable_groups(config, context.library, Role::client, config.max_version);
  Result<void> shares;
  const auto put_extensions = [&](wire::Writer& out) {
    if (!config.server_name.empty()) message::put_server_name(out, config.server_name);
    if (is_allowed(config, ProtocolVersion::dtls12)) put_extensions12(out, config, offer);
    message::put_code_list_extension(out, ExtensionType::supported_groups, groups);
    message::put_code_list_extension(out, ExtensionType::signature_algorithms,
                                     config.signature_schemes);
    if (is_offered(config, ExtensionType::signature_algorithms_cert)) {
      message::put_code_list_extension(out, ExtensionType::signature_algorithms_cert,
                                       config.certificate_signature_schemes);
    }
    if (is_offered(config, ExtensionType::use_srtp)) {
      message::put_use_srtp(out, config.srtp_profiles, config.srtp_mki);
    }
    if (!config.application_protocols.empty()) {
      message::put_application_protocols(out, config.application_protocols);
    }
    if (const auto limit = offered_record_size_limit(config, config.max_version)) {
      message::put_record_size_limit(out, *limit);
    }
    if (is_allowed(config, ProtocolVersion::dtls13)) shares = put_extensions13(out, config, offer);
  };
  Buffer body;
  wire::Writer writer(body);
  message::put_client_hello(writer, offer.random, offer.session_id, offer.verify_cookie,
                            offered_suites(config), put_extensions);
  if (!shares) return shares;
  if (auto edited = edit_hello(context, HelloMessage::client_hello, body); !edited) return edited;
  if (!offer.psks.empty()) {
    if (auto bound = put_binders(context, offer.psks, body); !bound) return bound;
  }
  return context.send(wire::HandshakeType::client_hello, wire::kPlaintextEpoch,
                      [&](wire::Writer& out) { out.bytes(body); });
}

bool is_offered(const ConfigOptions& config, ExtensionType type) {
  const bool allows12 = is_allowed(config, ProtocolVersion::dtls12);
  switch (type) {
    case ExtensionType::supported_groups:
    case ExtensionType::signature_algorithms:
      return true;
    case ExtensionType::signature_algorithms_cert:
      return !config.certificate_signature_schemes.empty();
    case ExtensionType::renegotiation_info:
    case ExtensionType::ec_point_formats:
      return allows12;
    case ExtensionType::encrypt_then_mac:
      return std::ranges::any_of(config.cipher_suites, [&](CipherSuite suite) {
        const auto suite12 = find_suite12(config, suite);
        return suite12 && needs_encrypt_then_mac(*suite12) && can_use(config, suite);
      });
    case ExtensionType::extended_master_secret:
      return allows12 && config.extended_master_secret != ExtendedMasterSecret::disable;
    case ExtensionType::session_ticket:
      return allows12 && config.resumption != Resumption::none;
    case ExtensionType::server_name:
      return !config.server_name.empty();
    case ExtensionType::application_layer_protocol_negotiation:
      return !config.application_protocols.empty();
    case ExtensionType::use_srtp:
      return !config.srtp_profiles.empty();
    case ExtensionType::record_size_limit:
      return config.record_size_limit.has_value();
    case ExtensionType::supported_versions:
    case ExtensionType::key_share:
      return is_allowed(config, ProtocolVersion::dtls13);
    // Tickets that may come are kept only by who can resume.
    case ExtensionType::psk_key_exchange_modes:
      return is_allowed(config, ProtocolVersion::dtls13) &&
             (config.resumption != Resumption::none || !config.pre_shared_keys.empty());
    case ExtensionType::pre_shared_key:  // its answer stands in the ServerHello
    case ExtensionType::cookie:
    case ExtensionType::certificate_authorities:  // a client announces none
      return false;
  }
  return false;
}

}  // namespace sluice::dtls::handshake
