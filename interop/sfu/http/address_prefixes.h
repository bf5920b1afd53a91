// Addresses by their prefixes, as operators write them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/dtls/udp_endpoint.h>

namespace sluice::interop::sfu {

class AddressPrefixes {
 public:
  // "192.0.2.1", "2001:db8::/32". The error says what is wrong.
  tl::expected<void, std::string> add(const std::string& text);
  [[nodiscard]] bool contains(const dtls::UdpEndpoint& address) const;
  [[nodiscard]] bool empty() const { return prefixes_.empty(); }

 private:
  struct Prefix {
    std::vector<std::uint8_t> bytes;  // of an IPv4 or an IPv6 address
    std::size_t bits;
  };

  std::vector<Prefix> prefixes_;
};

}  // namespace sluice::interop::sfu
