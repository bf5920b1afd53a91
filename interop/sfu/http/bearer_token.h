// Bearer tokens of HTTP requests (RFC 6750 section 2.1).
#pragma once

#include <httplib.h>

#include <string>

namespace sluice::interop::sfu {

// Whether the request has this token; an empty one needs none.
bool has_token(const httplib::Request& request, const std::string& token);

void refuse_token(httplib::Response& response);

}  // namespace sluice::interop::sfu
