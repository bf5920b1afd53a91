#include "tools/echo_server.h"

#include <cstdint>
#include <iostream>
#include <utility>

#include "common/clock.h"
#include "tools/coap_answer.h"
#include "tools/endpoint_loop.h"
#include "tools/tool_context.h"

namespace sluice::interop::tools {
namespace {

// The first octet, a server number of one byte and the shortest nonce.
constexpr std::size_t kMinRoutableId = 6;

class Server final : private EndpointHandler {
 public:
  Server(UdpSocket& socket, const EchoOptions& options, ToolContext& context,
         dtls::Endpoint endpoint)
      : options_(options), context_(context), loop_(socket, std::move(endpoint), *this) {}

  void run(int stop) {
    loop_.poller().add(stop);
    while (!loop_.poller().is_ready(stop) && !has_served_all()) {
      loop_.turn();
      report_refused_hellos();
    }
    loop_.endpoint().close_all(common::now());
    loop_.drain();
  }

 private:
  [[nodiscard]] bool has_served_all() {
    return options_.accept != 0 && loop_.endpoint().size() == 0 &&
           loop_.endpoint().statistics().connected >= options_.accept;
  }

  void on_data(const dtls::EndpointData& data) override {
    const auto answer = options_.answers_coap ? answer_to_coap(data.bytes)
                                              : dtls::Buffer(data.bytes.begin(), data.bytes.end());
    if (answer) loop_.send(data.connection, *answer);
  }

  void on_event(const dtls::EndpointEvent& event) override {
    if (const auto* asked = std::get_if<dtls::PeerCertificateReceived>(&event.what)) {
      context_.answer_certificate(loop_.endpoint(), event.connection, *asked);
    } else if (const auto* connected = std::get_if<dtls::Connected>(&event.what)) {
      on_connected(event.connection, connected->info);
    } else if (const auto* session = std::get_if<dtls::SessionRequested>(&event.what)) {
      answer(event.connection, *session);
    } else if (const auto* psk = std::get_if<dtls::PskRequested>(&event.what)) {
      answer(event.connection, *psk);
    } else if (const auto* to_store = std::get_if<dtls::SessionToStore>(&event.what)) {
      options_.sessions->keep(*to_store, common::now());
    } else if (const auto* moved = std::get_if<dtls::PeerMoved>(&event.what)) {
      report(moved->from, "moved to " + to_string(moved->to.peer));
    } else if (const auto* ended = std::get_if<dtls::Ended>(&event.what)) {
      report(ended->path, std::string(to_string(ended->reason)) +
                              (ended->error ? ": " + to_string(*ended->error) : ""));
    }
  }

  void answer(dtls::ConnectionHandle connection, const auto& asked) {
    // Later events report the result.
    static_cast<void>(loop_.endpoint().answer(connection, asked.question,
                                              options_.sessions->answer(asked, common::now()),
                                              common::now()));
  }

  void on_connected(dtls::ConnectionHandle connection, const dtls::ConnectionInfo& info) {
    auto& endpoint = loop_.endpoint();
    if (const auto path = endpoint.path_of(connection)) report(*path, describe(info));
    const auto keys = export_keys(*endpoint.find(connection), options_.tool);
    if (!keys.empty()) std::cerr << keys + "\n";
    const auto& asked = info.server_name;
    if (!asked.empty() && !options_.server_name.empty() && asked != options_.server_name) {
      std::cerr << "no server of the name " + asked + "\n";
      static_cast<void>(endpoint.close(connection, common::now()));
    }
  }

  void report_refused_hellos() {
    const auto refused = loop_.endpoint().listener_statistics().refused_cookies;
    if (refused == std::exchange(reported_refusals_, refused) || options_.tool.quiet) return;
    std::cerr << "a second ClientHello was refused: its cookie has expired or is of another "
                 "address, or the hello differs from the first\n";
  }

  void report(const dtls::UdpPath& path, const std::string& what) const {
    // One write for the whole line, so that lines of several threads don't mix.
    if (!options_.tool.quiet) std::cerr << to_string(path.peer) + " " + what + "\n";
  }

  const EchoOptions& options_;
  ToolContext& context_;
  EndpointLoop loop_;
  std::uint64_t reported_refusals_ = 0;
};

}  // namespace

tl::expected<void, std::string> check_routable(std::size_t id_size, unsigned workers) {
  if (id_size < kMinRoutableId || id_size > dtls::kMaxRoutableId) {
    return tl::unexpected<std::string>("--cid: with several threads, 6 to 20 bytes");
  }
  if (workers > dtls::kMaxRoutableWorkers) {
    return tl::unexpected<std::string>("--threads: with --cid, 32 at most");
  }
  return {};
}

tl::expected<void, std::string> serve(UdpSocket& socket, const EchoOptions& options,
                                      std::uint8_t worker, int stop) {
  auto context = ToolContext::make(options.tool, options.wanted);
  if (!context) return tl::unexpected(context.error());
  dtls::Environment& environment = (*context)->environment();
  std::unique_ptr<dtls::RoutableConnectionIds> ids;
  if (options.routing_key && options.tool.connection_id_size) {
    const dtls::RoutableIdLayout layout{.size = *options.tool.connection_id_size};
    auto made = dtls::RoutableConnectionIds::make(environment, {.layout = layout, .worker = worker},
                                                  *options.routing_key);
    if (!made) return tl::unexpected(to_string(made.error()));
    ids = *std::move(made);
  }
  auto endpoint = dtls::Endpoint::make({.server = (*context)->config(),
                                        .connection_ids = ids.get(),
                                        .peer_move = dtls::PeerMove::newer_record},
                                       environment);
  if (!endpoint) return tl::unexpected(to_string(endpoint.error()));
  Server(socket, options, **context, *std::move(endpoint)).run(stop);
  return {};
}

}  // namespace sluice::interop::tools
