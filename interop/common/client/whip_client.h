// The HTTP side of a client: WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-04).
#pragma once

#include <httplib.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include <sluice/dtls/udp_endpoint.h>

#include "common/client/received_bytes.h"

namespace sluice::interop {

struct Url {
  std::string origin;  // "http://host:port", as given
  std::string host;    // without the brackets of IPv6
  std::string port;
  std::string path;  // with the query; begins with "/"
};
// The error is a sentence.
tl::expected<Url, std::string> parse_url(const std::string& text);
// The address of its host, which the system's resolver looks up meanwhile if it is a name.
tl::expected<dtls::UdpEndpoint, std::string> resolve(const Url& url);
// The URL that a Location means, from the one that was asked (RFC 3986 section 5.2, without dot
// segments).
std::string resolve_location(const Url& base, const std::string& location);

struct HttpEndpoint {
  Url url = {};
  std::string token = {};  // bearer token; empty: none
  // Any certificate of an https server is taken.
  bool is_insecure = false;
  // Further header fields of a POST.
  httplib::Headers fields = {};
};

struct HttpClientOptions {
  std::chrono::seconds connect_timeout{5};
  // A server that is busy with a thousand others answers late.
  std::chrono::seconds answer_timeout{30};
  // For a whole request with its answer. In it a connection may bring 2 MiB, header fields
  // included, and what comes in the 10 ms until that is seen. Empty: a server that sends a byte now
  // and then, or header fields without end, is waited for without a limit.
  std::optional<std::chrono::seconds> request_time = {};
  // Ends a request that is under way.
  std::stop_token end = {};
  // RFC 9725 section 4.5: 307.
  bool follows_redirects = true;
  // PEM file with the certificates that are trusted; empty: the system's.
  std::string ca_file = {};
  // The address of an origin in place of what the resolver says of its name.
  std::map<std::string, std::string> addresses = {};
};

// An offer of the server, in place of an answer to the client's.
struct CounterOffer {
  std::string offer;     // SDP
  std::string location;  // whole URL, to which the answer goes
};

// What a server has answered in place of 201.
struct HttpRefusal {
  int status = 0;  // 0: it has not answered
  std::string sentence;
  std::optional<CounterOffer> counter_offer = {};  // of WHEP; it may be left unanswered
};

struct PostedOffer {
  std::string answer;
  std::string location;  // whole URL of the session; empty: the server named none
  httplib::Headers fields = {};
};

// One connection to each server, which is kept open. Used by one thread at a time.
class WhipClient {
 public:
  WhipClient() = default;
  explicit WhipClient(HttpClientOptions options) : options_(std::move(options)) {}

  // The error says what the server has answered, or that there is none.
  tl::expected<PostedOffer, HttpRefusal> post(const HttpEndpoint& endpoint,
                                              const std::string& offer);
  // Answers a counter-offer.
  tl::expected<void, std::string> answer(const HttpEndpoint& endpoint, const std::string& location,
                                         const std::string& answer);
  // Ends a session, or declines a counter-offer.
  tl::expected<void, std::string> remove(const HttpEndpoint& endpoint, const std::string& location);

 private:
  struct Connection {
    httplib::Client http;
    ReceivedBytes received = {};

    explicit Connection(const std::string& origin) : http(origin) {}
  };

  Connection& connection(const std::string& origin, const HttpEndpoint& endpoint);
  // A request about a session; `sdp`: empty: none.
  tl::expected<void, std::string> ask(const char* method, const HttpEndpoint& endpoint,
                                      const std::string& location, const std::string& sdp);
  // Within the limits of time and size.
  httplib::Result send(Connection& connection, httplib::Request request) const;

  HttpClientOptions options_;
  std::map<std::string, std::unique_ptr<Connection>> connections_;  // by origin
};

}  // namespace sluice::interop
