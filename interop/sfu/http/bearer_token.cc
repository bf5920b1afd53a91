#include "sfu/http/bearer_token.h"

#include <cstddef>
#include <string_view>

#include "common/http/web_server.h"
#include "common/letter_case.h"

namespace sluice::interop::sfu {
namespace {

// Compares in a time that says nothing about the token's content.
bool is_same_secret(std::string_view given, std::string_view expected) {
  if (given.size() != expected.size()) return false;
  int difference = 0;
  for (std::size_t i = 0; i < given.size(); ++i) {
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(expected[i]);
  }
  return difference == 0;
}

}  // namespace

bool has_token(const httplib::Request& request, const std::string& token) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string given = request.get_header_value("Authorization");
  // RFC 9110 section 11.1: the case of a scheme does not matter.
  const bool has_scheme =
      equal_ignoring_case(std::string_view(given).substr(0, kScheme.size()), kScheme);
  return token.empty() ||
         (has_scheme && is_same_secret(std::string_view(given).substr(kScheme.size()), token));
}

void refuse_token(httplib::Response& response) {
  response.set_header("WWW-Authenticate", "Bearer");
  refuse(response, 401, "A valid bearer token is needed.");
}

}  // namespace sluice::interop::sfu
