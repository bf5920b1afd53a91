// What client and server agree on by extensions that exist in both versions.
#pragma once

#include <optional>
#include <string>

#include <sluice/dtls/config.h>

#include "message/extension_block.h"
#include "message/max_fragment_length.h"
#include "negotiation/boxed.h"
#include "negotiation/context.h"
#include "negotiation/extension_places.h"

namespace sluice::dtls::handshake {

// The largest record that each side takes; in DTLS 1.3 that counts inner type and padding
// (RFC 8449 section 4).
struct RecordSizeLimits {
  std::uint16_t ours;
  std::uint16_t peers;
};

// Values of variable size; empty: none.
struct AgreedNames {
  Buffer srtp_mki = {};
  std::string application_protocol = {};
  std::string server_name = {};  // in the client's server_name
  // The server chose its certificate by the name, and says so (RFC 6066 section 3).
  bool acknowledges_server_name = false;
};

struct AgreedExtensions {
  // The type of the certificate that this role sends.
  [[nodiscard]] CertificateType certificate_type(Role role) const {
    return (role == Role::client ? client_certificate_type : server_certificate_type)
        .value_or(CertificateType::x509);
  }

  // Most sessions have no names and keep one null pointer as long as they live.
  Boxed<AgreedNames> names = {};
  std::optional<SrtpProfile> srtp_profile = {};
  std::optional<RecordSizeLimits> record_size_limits = {};
  // RFC 7250; empty: not negotiated, which means X.509.
  std::optional<CertificateType> client_certificate_type = {};
  std::optional<CertificateType> server_certificate_type = {};
  message::MaxFragmentLength max_fragment_length = {};
  bool return_routability = false;  // RFC 9853
};

// What a server has chosen.
struct ServersChoice {
  const AgreedExtensions& agreed;
  const record::ConnectionIds& ids;
  bool resumed;
};

// How an extension is agreed on. Each function gets the data of the peer's extension, empty where
// the peer did not send it.
struct ExtensionAgreement {
  using Data = std::optional<Bytes>;

  // A server reads the ClientHello and chooses.
  Result<void> (*choose)(const Context& context, ProtocolVersion version, const Data& clients,
                         AgreedExtensions& agreed);
  // A server writes what it chose.
  void (*put_choice)(wire::Writer& out, const ServersChoice& choice);
  // A client checks what the server chose.
  Result<void> (*accept)(const Context& context, const Data& servers, AgreedExtensions& agreed);
};
extern const ExtensionAgreement kServerNameAgreement;
extern const ExtensionAgreement kUseSrtpAgreement;
extern const ExtensionAgreement kApplicationProtocolAgreement;
extern const ExtensionAgreement kRecordSizeLimitAgreement;
extern const ExtensionAgreement kMaxFragmentLengthAgreement;
extern const ExtensionAgreement kClientCertificateTypeAgreement;
extern const ExtensionAgreement kServerCertificateTypeAgreement;
extern const ExtensionAgreement kConnectionIdAgreement;
extern const ExtensionAgreement kReturnRoutabilityAgreement;  // after kConnectionIdAgreement

// The name in a client's server_name; empty without one. Errors: decode_error.
Result<std::string> requested_server_name(const message::ExtensionBlock& clients);
// A server reads what determines which sessions may be resumed: Context::terms. Errors:
// decode_error, illegal_parameter.
Result<void> take_session_terms(Context& context, const message::ExtensionBlock& clients);

// The record_size_limit that this side sends if the highest version is `highest`.
std::optional<std::uint16_t> offered_record_size_limit(const ConfigOptions& config,
                                                       ProtocolVersion highest);
// The max_fragment_length that a client asks for.
message::MaxFragmentLength offered_max_fragment_length(const ConfigOptions& config);
// The longest contents of records that follow from the extensions.
record::ContentLimits content_limits(ProtocolVersion version, const AgreedExtensions& agreed);

// A server's choice. The server's order of preference decides; of SRTP profiles, for example, GCM
// comes first although libwebrtc lists AES_CM before it. The record layer keeps to the content
// limits and connection IDs from now on. Errors: decode_error; illegal_parameter;
// no_common_application_protocol with no_application_protocol (RFC 7301 section 3.2); those of a
// ConnectionIdSource.
Result<AgreedExtensions> agree_on_extensions(Context& context, ProtocolVersion version,
                                             const message::ExtensionBlock& clients);
// Writes a server's choice, as far as it belongs in one of the messages `places`.
void put_agreed_extensions(wire::Writer& out, ExtensionPlaces places, const ServersChoice& choice);

// Adds the server's choice in a message to `agreed`, as a client sees it: at most one protocol and
// one SRTP profile, both of those that the client offered, and no MKI but the client's (RFC 5764
// section 4.1.3). `places`: what belongs in one of these messages is in this one, or is not agreed
// on. The record layer keeps to the content limits and connection IDs from now on. Errors:
// decode_error, illegal_parameter, unsupported_extension.
Result<void> accept_extensions(Context& context, ProtocolVersion version, ExtensionPlaces places,
                               const message::ExtensionBlock& servers, AgreedExtensions& agreed);

}  // namespace sluice::dtls::handshake
