// What a Config allows: versions, PSKs, certificates and cipher suites.
#pragma once

#include <optional>

#include <sluice/dtls/config.h>

#include "schedule/cipher_suite.h"

namespace sluice::dtls::handshake {

bool is_allowed(const ConfigOptions& config, ProtocolVersion version);

// How this side checks a peer's new address; none: the extension is neither offered nor accepted.
ReturnRoutability return_routability(const ConfigOptions& config);

// Whether this side can have PSKs, in the Config or on request.
bool has_psk(const ConfigOptions& config);
// Whether the peer's certificate may be of this type.
bool accepts(const ConfigOptions& config, CertificateType type);
bool has_mode(const ConfigOptions& config, PskKeyExchangeMode mode);
// Whether this side can use a suite with certificates.
bool uses_certificates(const ConfigOptions& config);
// A suite of DTLS 1.2, built-in or of CipherSuite12; empty for unknown suites.
std::optional<schedule::CipherSuite12Parameters> find_suite12(const ConfigOptions& config,
                                                              CipherSuite suite);
// Whether the Config allows the suite's version, and this side has what the suite needs.
bool can_use(const ConfigOptions& config, CipherSuite suite);
// Whether the Config lists the suite, and this side can use it.
bool is_suite_offered(const ConfigOptions& config, CipherSuite suite);

}  // namespace sluice::dtls::handshake
