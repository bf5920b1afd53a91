#include "sfu/operations/operator_access.h"

#include <algorithm>
#include <array>

#include "common/http/web_server.h"
#include "common/ip_address.h"
#include "common/letter_case.h"
#include "sfu/http/bearer_token.h"

namespace sluice::interop::sfu {
namespace {

bool is_local(const std::string& literal) {
  const auto address = common::read_address(literal);
  return address && common::is_loopback(*address);
}

// RFC 9110 section 7.2: uri-host [":" port]; the brackets of an IPv6 literal are removed.
std::string name_in(const std::string& host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

}  // namespace

bool is_forwarded(const httplib::Request& request) {
  constexpr std::array kFields = {"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"};
  return std::ranges::any_of(kFields, [&](const char* name) { return request.has_header(name); });
}

bool OperatorAccess::admit(const httplib::Request& request, httplib::Response& response) const {
  if (!token_.empty()) {
    if (has_token(request, token_)) return true;
    refuse_token(response);
  } else if (!is_local(request.remote_addr)) {
    refuse(response, 403, "Only this machine may see this.");
  } else if (is_forwarded(request)) {
    refuse(response, 403,
           "A proxy has passed this request on, and only this machine may see this.");
  } else if (!is_own_name(request)) {
    refuse(response, 403, "The Host of the request is no name of this machine.");
  } else {
    return true;
  }
  return false;
}

bool OperatorAccess::is_own_name(const httplib::Request& request) const {
  const std::string name = name_in(request.get_header_value("Host"));
  return equal_ignoring_case(name, "localhost") || is_local(name) ||
         (!name.empty() && equal_ignoring_case(name, host_));
}

}  // namespace sluice::interop::sfu
