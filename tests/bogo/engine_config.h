// From flags to the engine's configuration.
#pragma once

#include <sluice/dtls/config.h>

#include "bogo/flags.h"

namespace sluice::bogo {

// Of the credentials in their order, or made on the spot where a server must have one. Errors:
// those of Identity::from_pem(); invalid_argument when a file can't be read.
dtls::Result<std::vector<dtls::Identity>> load_identities(const Flags& flags,
                                                          dtls::Environment& environment);
// The first certificate (DER) of a PEM file. Errors: the same.
dtls::Result<dtls::Buffer> load_certificate(const std::string& file);

// Whether libcrypto has all groups that the flags name.
bool has_groups(const Flags& flags, dtls::Environment& environment);

// Errors: those of PreSharedKey::make() and Config::make().
dtls::Result<dtls::ConfigPtr> make_config(const Flags& flags,
                                          std::vector<dtls::Identity> identities,
                                          std::shared_ptr<dtls::TicketKeys> ticket_keys);

}  // namespace sluice::bogo
