#include "common/client/whip_client.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

#include <sluice/dtls/socket_address.h>
#include <sluice/udp/address.h>

namespace sluice::interop {
namespace {

constexpr const char* kSdpType = "application/sdp";
// Of an answer that is no SDP: enough for its sentence.
constexpr std::size_t kMaxSentence = 200;
// Of the body of an answer, in bytes: more than any SDP that a server of media writes.
constexpr std::size_t kMaxAnswer = 1'048'576;
// Of a connection in a request with a limit of time, TLS and header fields included.
constexpr std::uint64_t kMaxReceived = 2 * kMaxAnswer;
// Between two looks at how much that is.
constexpr std::chrono::milliseconds kLook{10};

// Ends the request of a client after a time, after too many bytes, or on a stop_token. The library
// limits the time between two reads alone, and the length of one header field, not their number.
class RequestEnd {
 public:
  RequestEnd(httplib::Client& client, const ReceivedBytes& received,
             std::optional<std::chrono::seconds> time, const std::stop_token& end)
      : stop_(end, Stop{&client}) {
    if (!time) return;
    thread_ = std::jthread([&, left = *time](const std::stop_token& done) {
      watch(received, left, done);
      if (!done.stop_requested()) client.stop();
    });
  }

 private:
  // Until one of the limits is reached, or the request is done.
  static void watch(const ReceivedBytes& received, std::chrono::seconds time,
                    const std::stop_token& done) {
    const auto until = std::chrono::steady_clock::now() + time;
    const std::uint64_t most = received.count() + kMaxReceived;
    std::mutex mutex;
    std::unique_lock lock(mutex);
    while (!done.stop_requested() && std::chrono::steady_clock::now() < until &&
           received.count() <= most) {
      std::condition_variable_any().wait_for(lock, done, kLook, [] { return false; });
    }
  }

  struct Stop {
    httplib::Client* client;
    void operator()() const { client->stop(); }
  };

  std::stop_callback<Stop> stop_;
  std::jthread thread_;
};

httplib::Headers headers_of(const HttpEndpoint& endpoint) {
  if (endpoint.token.empty()) return {};
  return {{"Authorization", "Bearer " + endpoint.token}};
}

std::string refusal(const httplib::Response& response) {
  std::string sentence = response.body.substr(0, kMaxSentence);
  while (!sentence.empty() && (sentence.back() == '\n' || sentence.back() == '\r')) {
    sentence.pop_back();
  }
  return "the server answers " + std::to_string(response.status) +
         (sentence.empty() ? "" : ": " + sentence);
}

std::string no_answer(const char* method, const httplib::Result& result) {
  return std::string{"the server does not answer a "} + method + " (" +
         httplib::to_string(result.error()) + ")";
}

}  // namespace

tl::expected<Url, std::string> parse_url(const std::string& text) {
  const auto scheme = text.find("://");
  const std::string name = text.substr(0, scheme);
  if (scheme == std::string::npos || (name != "http" && name != "https")) {
    return tl::unexpected("no URL that begins with http:// or https://: " + text);
  }
  const auto host = scheme + 3;
  const auto path = std::min(text.find('/', host), text.size());
  Url url{.origin = text.substr(0, path),
          .host = text.substr(host, path - host),
          .port = name == "https" ? "443" : "80",
          .path = path < text.size() ? text.substr(path) : "/"};
  // The colons of an IPv6 address stand within brackets.
  const auto bracket = url.host.rfind(']');
  const auto colon = url.host.rfind(':');
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
    url.port = url.host.substr(colon + 1);
    url.host = url.host.substr(0, colon);
  }
  if (url.host.starts_with('[') && url.host.ends_with(']')) {
    url.host = url.host.substr(1, url.host.size() - 2);
  }
  if (url.host.empty() || url.port.empty()) return tl::unexpected("a URL without a host: " + text);
  return url;
}

tl::expected<dtls::UdpEndpoint, std::string> resolve(const Url& url) {
  const bool is_ipv6 = url.host.find(':') != std::string::npos;
  const auto found = udp::resolve((is_ipv6 ? "[" + url.host + "]" : url.host) + ":" + url.port);
  if (!found) return tl::unexpected(found.error());
  const auto address = dtls::to_udp_endpoint(*found);
  if (!address) return tl::unexpected("no IP address of " + url.host);
  return *address;
}

std::string resolve_location(const Url& base, const std::string& location) {
  if (location.empty() || location.find("://") != std::string::npos) return location;
  if (location.front() == '/') return base.origin + location;
  const std::string path = base.path.substr(0, base.path.find('?'));
  return base.origin + path.substr(0, path.rfind('/') + 1) + location;
}

WhipClient::Connection& WhipClient::connection(const std::string& origin,
                                               const HttpEndpoint& endpoint) {
  auto& connection = connections_[origin];
  if (connection) return *connection;
  connection = std::make_unique<Connection>(origin);
  httplib::Client& client = connection->http;
  client.set_keep_alive(true);
  // Head and body leave in two pieces: the second one does not wait for an acknowledgement.
  client.set_tcp_nodelay(true);
  client.set_follow_location(options_.follows_redirects);
  client.set_connection_timeout(options_.connect_timeout);
  client.set_read_timeout(options_.answer_timeout);
  client.set_hostname_addr_map(options_.addresses);
  if (!options_.ca_file.empty()) client.set_ca_cert_path(options_.ca_file);
  client.enable_server_certificate_verification(!endpoint.is_insecure);
  if (options_.request_time) {
    client.set_socket_options(
        [&received = connection->received](socket_t socket) { received.watch(socket); });
  }
  return *connection;
}

httplib::Result WhipClient::send(Connection& connection, httplib::Request request) const {
  std::string body;
  request.content_receiver = [&body](const char* part, std::size_t size, std::uint64_t,
                                     std::uint64_t) {
    body.append(part, size);
    return body.size() <= kMaxAnswer;
  };
  const RequestEnd limits(connection.http, connection.received, options_.request_time,
                          options_.end);
  auto result = connection.http.send(request);
  if (result) result->body = std::move(body);
  return result;
}

tl::expected<PostedOffer, HttpRefusal> WhipClient::post(const HttpEndpoint& endpoint,
                                                        const std::string& offer) {
  httplib::Headers fields = headers_of(endpoint);
  fields.insert(endpoint.fields.begin(), endpoint.fields.end());
  httplib::Request request;
  request.method = "POST";
  request.path = endpoint.url.path;
  request.headers = std::move(fields);
  request.set_header("Content-Type", kSdpType);
  request.body = offer;
  const auto result = send(connection(endpoint.url.origin, endpoint), std::move(request));
  if (!result) return tl::unexpected(HttpRefusal{.sentence = no_answer("POST", result)});
  std::string location = resolve_location(endpoint.url, result->get_header_value("Location"));
  const bool has_sdp = result->get_header_value("Content-Type").starts_with(kSdpType);
  if (result->status == 406 && has_sdp && !location.empty()) {
    return tl::unexpected(
        HttpRefusal{.status = 406,
                    .sentence = "the server makes a counter-offer (406), which is not taken here",
                    .counter_offer = CounterOffer{result->body, std::move(location)}});
  }
  if (result->status != 201) {
    return tl::unexpected(HttpRefusal{.status = result->status, .sentence = refusal(*result)});
  }
  return PostedOffer{
      .answer = result->body, .location = std::move(location), .fields = result->headers};
}

tl::expected<void, std::string> WhipClient::answer(const HttpEndpoint& endpoint,
                                                   const std::string& location,
                                                   const std::string& answer) {
  return ask("PATCH", endpoint, location, answer);
}

tl::expected<void, std::string> WhipClient::remove(const HttpEndpoint& endpoint,
                                                   const std::string& location) {
  return ask("DELETE", endpoint, location, {});
}

tl::expected<void, std::string> WhipClient::ask(const char* method, const HttpEndpoint& endpoint,
                                                const std::string& location,
                                                const std::string& sdp) {
  const auto url = parse_url(location);
  if (!url) return tl::unexpected(url.error());
  httplib::Request request;
  request.method = method;
  request.path = url->path;
  request.headers = headers_of(endpoint);
  if (!sdp.empty()) request.set_header("Content-Type", kSdpType);
  request.body = sdp;
  const auto result = send(connection(url->origin, endpoint), std::move(request));
  if (!result) return tl::unexpected(no_answer(method, result));
  if (result->status / 100 != 2) return tl::unexpected(refusal(*result));
  return {};
}

}  // namespace sluice::interop
