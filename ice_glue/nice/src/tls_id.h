// The value of a=tls-id (RFC 8842 section 4), which names a DTLS association.
#pragma once

#include <string>

#include <sluice/dtls/environment.h>
#include <sluice/dtls/error.h>

namespace sluice::nice {

// 24 characters of six random bits each: the RFC asks for 20 to 255, strongly random.
dtls::Result<std::string> random_tls_id(dtls::Environment& environment);

}  // namespace sluice::nice
