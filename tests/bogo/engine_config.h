// From flags to the engine's configuration.
#pragma once

#include <sluice/dtls/config.h>

#include "bogo/flags.h"

namespace sluice::bogo {

// The keeper of `certificate_file` and `key_file`, or whoever was made on the
// spot. Errors: those of Identity::from_pem(); invalid_argument when a file
// can't be read.
dtls::Result<dtls::Identity> load_identity(const Flags& flags, dtls::Environment& environment);

// Whether libcrypto has all groups that the flags name.
bool has_groups(const Flags& flags, const dtls::Identity& identity, dtls::Environment& environment);

// Errors: those of Config::make().
dtls::Result<dtls::ConfigPtr> make_config(const Flags& flags, dtls::Identity identity,
                                          std::shared_ptr<dtls::TicketKeys> ticket_keys);

}  // namespace sluice::bogo
