// Whose request it is that a reverse proxy has passed on.
#pragma once

#include <httplib.h>

#include <cstddef>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "sfu/http/address_prefixes.h"

namespace sluice::interop::sfu {

// The proxies that are believed. Each of them adds the address that it was asked from to the end of
// Forwarded (RFC 7239) or X-Forwarded-For; what stands before may be of any client. So the client
// is the last address that is not a proxy's.
class TrustedProxies {
 public:
  // "192.0.2.1", "2001:db8::/32". The error says what is wrong.
  tl::expected<void, std::string> add(const std::string& text) { return prefixes_.add(text); }

  [[nodiscard]] bool contains(const std::string& address) const;
  // The address that a request counts by. The error is a sentence for the client: a proxy says
  // something that can't be read, or two things.
  [[nodiscard]] tl::expected<std::string, std::string> client_of(
      const httplib::Request& request) const;

  // What is read: bytes of a header field in all its lines, and proxies in a row.
  static constexpr std::size_t kMaxField = 4096;
  static constexpr std::size_t kMaxProxies = 16;

 private:
  // `nodes`: in the order of the field; the proxy itself is a trusted one.
  [[nodiscard]] tl::expected<std::string, std::string> last_untrusted(
      const std::vector<std::string>& nodes) const;

  AddressPrefixes prefixes_;
};

}  // namespace sluice::interop::sfu
