// The keys of a server's threads: for tickets, cookies and stored sessions.
#pragma once

#include <sluice/dtls/resumption.h>
#include <sluice/dtls/secret.h>
#include <sluice/dtls/state_keys.h>

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "tools/tool_options.h"

namespace sluice::interop::tools {

// Thread-safe, once it is made.
struct ServerKeys {
  dtls::StateKeys states;
  std::shared_ptr<dtls::TicketKeys> tickets;
  dtls::SecretBytes cookie_secret;  // for dtls::Endpoint::import_cookie_secret()
  // As the file has the ticket keys, for KeyRotation.
  dtls::SecretBytes stored_tickets;
};

// The keys of `file`, which is made if it is missing; without a file new ones, for this process
// alone. `rotation` is that of the ticket keys. The error says what is wrong with the file or with
// the options.
tl::expected<std::unique_ptr<ServerKeys>, std::string> make_server_keys(const ToolOptions& options,
                                                                        const std::string& file,
                                                                        dtls::Duration rotation);

}  // namespace sluice::interop::tools
