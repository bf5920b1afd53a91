// What a program of ours shows its peers by DTLS: a certificate that it has made itself.
#pragma once

#include <sluice/dtls/config.h>
#include <sluice/dtls/environment.h>
#include <sluice/dtls/fingerprint.h>

#include <string>
#include <tl/expected.hpp>

namespace sluice::interop::common {

struct OwnDtls {
  dtls::ConfigPtr config;
  dtls::Fingerprint fingerprint;  // of the certificate, by SHA-256
};

// `name`: the certificate's. `environment` outlives the result.
tl::expected<OwnDtls, std::string> make_own_dtls(dtls::Environment& environment,
                                                 const std::string& name);

}  // namespace sluice::interop::common
