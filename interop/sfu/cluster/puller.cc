#include "sfu/cluster/puller.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <sluice/udp/address.h>

#include "common/client/client_ice.h"
#include "common/ip_address.h"
#include "sfu/cluster/pulled_streams.h"
#include "sfu/cluster/worker_question.h"

namespace sluice::interop::sfu {
namespace {

constexpr std::chrono::seconds kConnectTimeout{2};
constexpr std::chrono::seconds kAnswerTimeout{5};
// For a whole answer: a node that sends a byte now and then is asked no longer.
constexpr std::chrono::seconds kRequestTime{5};
// Nodes that are asked in one attempt.
constexpr std::size_t kMostAsked = 4;

HttpEndpoint endpoint_of(Url url, const PullerOptions& options) {
  return {.url = std::move(url), .token = options.token, .fields = {{kNodeField, options.node}}};
}

// The name is not looked up again: it may have another address by then.
WhipClient client_for(const Url& url, const dtls::UdpEndpoint& address,
                      const PullerOptions& options, std::stop_token end) {
  return WhipClient({.connect_timeout = kConnectTimeout,
                     .answer_timeout = kAnswerTimeout,
                     .request_time = kRequestTime,
                     .end = std::move(end),
                     .follows_redirects = false,
                     .ca_file = options.ca_file,
                     .addresses = {{url.host, common::address_text(address)}}});
}

std::string field_of(const PostedOffer& posted, const char* name) {
  const auto found = posted.fields.find(name);
  return found == posted.fields.end() ? std::string{} : found->second;
}

}  // namespace

tl::expected<std::string, std::string> Puller::pull(const std::string& room,
                                                    const std::vector<StreamEntry>& entries,
                                                    const std::stop_token& end) const {
  std::string why = "no node has it";
  for (const StreamEntry& entry : std::span(entries).first(std::min(entries.size(), kMostAsked))) {
    if (end.stop_requested()) return tl::unexpected<std::string>("the server ends");
    const auto pulled = pull_from(room, entry, end);
    if (pulled) return entry.node;
    why = entry.node + ": " + pulled.error();
  }
  return tl::unexpected(why);
}

tl::expected<void, std::string> Puller::pull_from(const std::string& room, const StreamEntry& entry,
                                                  const std::stop_token& end) const {
  auto url = parse_node_url(entry.node);
  if (!url) return tl::unexpected(url.error());
  const auto address = options_.networks.resolve(*url);
  if (!address) return tl::unexpected(address.error());
  const auto own = address_towards(*address);
  if (!own) return tl::unexpected(own.error());
  const PulledStreams& pulled = *media_.pulled(worker_for(room));
  auto socket = udp::Socket::bind(dtls::to_socket_address(*own), pulled.socket_options());
  if (!socket) return tl::unexpected("a UDP socket: " + socket.error());
  url->path = "/whep/" + room + "/" + entry.stream;
  const auto ice = make_credentials();
  WhipClient http = client_for(*url, *address, options_, end);
  const HttpEndpoint endpoint = endpoint_of(*url, options_);
  const auto posted =
      http.post(endpoint, write_pull_offer(ice, pulled.identity().fingerprint, socket->own()));
  if (!posted) return tl::unexpected(posted.error().sentence);
  auto begun = begin(room, entry, *posted, ice, *std::move(socket));
  // A node may name a session of its own, and no other URL.
  if (!begun && posted->location.starts_with(url->origin + "/")) {
    (void)http.remove(endpoint, posted->location);
  }
  return begun;
}

tl::expected<void, std::string> Puller::begin(const std::string& room, const StreamEntry& entry,
                                              const PostedOffer& posted,
                                              const ice_lite::Credentials& ice,
                                              udp::Socket socket) const {
  const auto before = parse_path(field_of(posted, kPathField), options_.max_depth);
  if (!before) return tl::unexpected<std::string>("the answer says no path of the stream");
  StreamOrigin origin{.id = entry.stream, .path = {entry.node}};
  origin.path.insert(origin.path.end(), before->begin(), before->end());
  if (origin.path.size() > options_.max_depth ||
      std::ranges::find(origin.path, options_.node) != origin.path.end()) {
    return tl::unexpected<std::string>("the stream has come over this node, or over too many");
  }
  auto read = read_pull_answer(posted.answer);
  if (!read) return tl::unexpected("the answer: " + read.error());
  auto candidates =
      options_.networks.among(usable_candidates(read->answer.transport.candidates, socket.own()));
  if (candidates.empty()) {
    return tl::unexpected<std::string>("it has no candidate of UDP in the networks of the cluster");
  }
  const std::size_t worker = worker_for(room);
  PulledStreams& pulled = *media_.pulled(worker);
  auto setup =
      std::make_shared<PullSetup>(PullSetup{.room = room,
                                            .origin = std::move(origin),
                                            .session = {.dtls = pulled.identity().dtls,
                                                        .ice = ice,
                                                        .answer = std::move(read->answer),
                                                        .candidates = std::move(candidates)},
                                            .tracks = std::move(read->tracks)});
  auto own_socket = std::make_shared<udp::Socket>(std::move(socket));
  using Added = tl::expected<void, std::string>;
  const auto added =
      ask_worker<Added>(media_, worker, [setup, own_socket, &pulled](Sfu&, dtls::Instant now) {
        return pulled.add(std::move(*setup), std::move(*own_socket), now);
      });
  return added ? *added : tl::unexpected<std::string>("this node is too busy");
}

}  // namespace sluice::interop::sfu
