// The table of extensions against RFC 8446 section 4.2 and against the hellos that it writes.
#include "negotiation/extension_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "message/client_hello.h"
#include "message/handshake_fragment.h"
#include "negotiation/client_offer.h"
#include "record/record_layer.h"
#include "support/endpoints.h"

namespace sluice::dtls::handshake {
namespace {

using test::must;
using wire::ExtensionType;

std::set<ExtensionType> in_message(ExtensionPlaces place) {
  std::set<ExtensionType> types;
  for (const ExtensionRow& row : extension_table()) {
    if (belongs_in(row.type, place)) types.insert(row.type);
  }
  return types;
}

// The rows of RFC 8446 section 4.2, RFC 5764, RFC 7250, RFC 8449 and RFC 9146 that the engine
// knows.
TEST(ExtensionTable, HasThePlacesOfTheRfc) {
  EXPECT_EQ(in_message(ExtensionPlaces::server_hello),
            (std::set{ExtensionType::key_share, ExtensionType::pre_shared_key,
                      ExtensionType::supported_versions, ExtensionType::connection_id,
                      ExtensionType::rrc}));
  EXPECT_EQ(in_message(ExtensionPlaces::hello_retry_request),
            (std::set{ExtensionType::key_share, ExtensionType::cookie,
                      ExtensionType::supported_versions}));
  EXPECT_EQ(in_message(ExtensionPlaces::encrypted_extensions),
            (std::set{ExtensionType::server_name, ExtensionType::supported_groups,
                      ExtensionType::use_srtp, ExtensionType::record_size_limit,
                      ExtensionType::max_fragment_length, ExtensionType::client_certificate_type,
                      ExtensionType::server_certificate_type,
                      ExtensionType::application_layer_protocol_negotiation}));
  EXPECT_EQ(in_message(ExtensionPlaces::certificate_request),
            (std::set{ExtensionType::signature_algorithms, ExtensionType::signature_algorithms_cert,
                      ExtensionType::certificate_authorities}));
  EXPECT_TRUE(in_message(ExtensionPlaces::certificate).empty());
  EXPECT_TRUE(in_message(ExtensionPlaces::new_session_ticket).empty());
  EXPECT_FALSE(belongs_in(ExtensionType{0x7777}, ExtensionPlaces::client_hello));
}

TEST(ExtensionTable, HasEachExtensionOnce) {
  EXPECT_EQ(in_message(ExtensionPlaces::client_hello).size(), extension_table().size());
  EXPECT_EQ(extension_table().back().type, ExtensionType::pre_shared_key);
}

// What a client's first hello has, in order.
std::vector<ExtensionType> types_in_hello(const ConfigOptions& options) {
  record::RecordLayer records;
  Context context(options, test::environment().library(), records);
  Offer offer;
  if (options.max_version == ProtocolVersion::dtls13) {
    offer.keys.push_back(must(crypto::EphemeralKey::generate(context.library, NamedGroup::x25519)));
  }
  must(send_client_hello(context, offer));
  const auto hello = message::ClientHello::decode(
      context.transcript.messages().subspan(message::kHandshakeHeaderSize));
  std::vector<ExtensionType> types;
  hello->extensions.all_of([&](const auto& extension) {
    types.push_back(extension.type);
    return true;
  });
  return types;
}

ConfigOptions everything() {
  ConfigOptions options = test::options();
  options.server_name = "server.example";
  options.application_protocols = {"a"};
  options.own_certificate_types.push_back(CertificateType::raw_public_key);
  options.peer_certificate_types.push_back(CertificateType::raw_public_key);
  options.record_size_limit = 1000;
  options.max_fragment_length = 512;
  options.connection_id_size = 8;
  options.certificate_signature_schemes = options.signature_schemes;
  options.resumption = Resumption::tickets;
  options.cipher_suites.push_back(CipherSuite::psk_with_aes_128_cbc_sha256);
  options.ask_for_psk = true;
  return options;
}

TEST(ExtensionTable, OffersWhatItSays) {
  for (const auto& options : {test::options(), test::options_for(ProtocolVersion::dtls12),
                              test::options_for(ProtocolVersion::dtls13), everything()}) {
    const auto types = types_in_hello(options);
    for (const ExtensionRow& row : extension_table()) {
      EXPECT_EQ(std::ranges::count(types, row.type), is_offered(options, row.type) ? 1 : 0)
          << wire::value_of(row.type);
    }
  }
}

// Fingerprints of clients and the known answers depend on the order.
TEST(ExtensionTable, KeepsTheOrderOfOurHello) {
  EXPECT_EQ(types_in_hello(everything()),
            (std::vector{ExtensionType::server_name,
                         ExtensionType::renegotiation_info,
                         ExtensionType::extended_master_secret,
                         ExtensionType::ec_point_formats,
                         ExtensionType::encrypt_then_mac,
                         ExtensionType::session_ticket,
                         ExtensionType::supported_groups,
                         ExtensionType::signature_algorithms,
                         ExtensionType::signature_algorithms_cert,
                         ExtensionType::use_srtp,
                         ExtensionType::application_layer_protocol_negotiation,
                         ExtensionType::client_certificate_type,
                         ExtensionType::server_certificate_type,
                         ExtensionType::record_size_limit,
                         ExtensionType::max_fragment_length,
                         ExtensionType::connection_id,
                         ExtensionType::rrc,
                         ExtensionType::supported_versions,
                         ExtensionType::key_share,
                         ExtensionType::psk_key_exchange_modes}));
}

}  // namespace
}  // namespace sluice::dtls::handshake
