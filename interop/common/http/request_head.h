// The head of an HTTP request: its first line and its fields (RFC 9112 sections 3 and 5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::interop {

struct RequestHead {
  // The same for cpp-httplib. The library passes over lines that it can't read, decodes "%" in the
  // values of fields, and parses Range by a recursion for each of its characters: Range is left
  // out, and "%" is encoded.
  std::string text;
  // Bytes of the body: Content-Length. A request without it has no body (section 6.3).
  std::uint64_t body = 0;
};

// Empty: a proxy could read the head differently, and so take another place for the end of the
// request: a line does not end with CRLF or is folded, a name is no token, a length is none or
// stands there twice, a field of the framing is empty. Or an HTTP/1.1 request has not one Host
// (section 3.2).
std::optional<RequestHead> read_request_head(std::string_view head);

}  // namespace sluice::interop
