// HTTP requests in the log.
#pragma once

#include <httplib.h>

#include <string>

#include "sfu/operations/event_log.h"

namespace sluice::interop::sfu {

// What failed here is a warning, what was not allowed is logged as info, all else as debug. Session
// IDs are cut to their first eight digits, since they are secrets. `address`: the client's.
LogEntry request_entry(const httplib::Request& request, const httplib::Response& response,
                       const std::string& address);

}  // namespace sluice::interop::sfu
