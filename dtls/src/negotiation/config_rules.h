// What a Config allows: versions, PSKs, certificates, cipher suites.
#pragma once

#include <optional>

#include <sluice/dtls/config.h>

#include "schedule/cipher_suite.h"

namespace sluice::dtls::handshake {

// Whether the Config allows this version.
bool is_allowed(const ConfigOptions& config, ProtocolVersion version);

// Whether this side can use PSKs at all.
bool has_psk(const ConfigOptions& config);
// Whether a suite with certificates is of use to it.
bool uses_certificates(const ConfigOptions& config);
// Of DTLS 1.2, a caller's own among them; empty for suites that nobody has.
std::optional<schedule::CipherSuite12Parameters> find_suite12(const ConfigOptions& config,
                                                              CipherSuite suite);
// Whether the Config allows the suite's version, and this side has what the suite needs.
bool can_use(const ConfigOptions& config, CipherSuite suite);
// Whether the Config lists the suite, and this side can use it.
bool is_suite_offered(const ConfigOptions& config, CipherSuite suite);

}  // namespace sluice::dtls::handshake
