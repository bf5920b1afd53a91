// The HTTP side of a client: WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03).
#pragma once

#include <httplib.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace sluice::interop::load {

struct Url {
  std::string origin;  // "http://host:port", as given
  std::string host;    // without the brackets of IPv6
  std::string port;
  std::string path;  // with the query; begins with "/"
};
// The error is a sentence.
tl::expected<Url, std::string> parse_url(const std::string& text);
// The URL that a Location means, from the one that was asked (RFC 3986 section 5.2, without dot
// segments).
std::string resolve_location(const Url& base, const std::string& location);

struct HttpEndpoint {
  Url url = {};
  std::string token = {};  // bearer token; empty: none
  // Any certificate of an https server is taken.
  bool is_insecure = false;
};

struct PostedOffer {
  std::string answer;
  std::string location;  // whole URL of the session; empty: the server named none
};

// One connection to each server, which is kept open. Used by one thread at a time.
class WhipClient {
 public:
  // The error says what the server has answered, or that there is none.
  tl::expected<PostedOffer, std::string> post(const HttpEndpoint& endpoint,
                                              const std::string& offer);
  // Ends a session.
  tl::expected<void, std::string> remove(const HttpEndpoint& endpoint, const std::string& location);

 private:
  httplib::Client& client(const std::string& origin, const HttpEndpoint& endpoint);

  std::map<std::string, std::unique_ptr<httplib::Client>> clients_;  // by origin
};

}  // namespace sluice::interop::load
