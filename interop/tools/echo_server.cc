#include "tools/echo_server.h"

#include <array>
#include <iostream>

#include "common/clock.h"
#include "tools/acceptance.h"
#include "tools/coap_answer.h"

namespace sluice::interop::tools {
namespace {

class Server {
 public:
  Server(UdpSocket& socket, const EchoOptions& options, ToolConfig config,
         dtls::Environment& environment, dtls::Endpoint endpoint)
      : socket_(socket),
        options_(options),
        config_(std::move(config)),
        environment_(environment),
        endpoint_(std::move(endpoint)) {}

  void run(int stop) {
    poller_.add(socket_.descriptor());
    poller_.add(stop);
    while (!poller_.is_ready(stop) && !has_served_all()) {
      poller_.wait(endpoint_.next_timeout());
      endpoint_.handle_timeout(common::now());
      drain();
      if (!poller_.is_ready(socket_.descriptor())) continue;
      socket_.receive([&](dtls::MutableBytes datagram, const dtls::UdpPath& path) {
        endpoint_.handle_datagram(datagram, path, common::now());
        drain();
      });
    }
    endpoint_.close_all(common::now());
    drain();
  }

 private:
  [[nodiscard]] bool has_served_all() const {
    return options_.accept != 0 && endpoint_.size() == 0 &&
           endpoint_.statistics().connected >= options_.accept;
  }

  void drain() {
    std::array<std::byte, dtls::kMaxApplicationData + dtls::kSealOverhead> out{};
    echo();
    while (auto event = endpoint_.poll_event()) {
      on_event(*event);
      echo();
    }
    while (const auto sent = endpoint_.poll_transmit(out)) {
      socket_.send(std::span(out).first(sent->size), sent->path);
    }
  }

  void echo() {
    std::array<std::byte, dtls::kMaxApplicationData + dtls::kSealOverhead> out{};
    while (const auto data = endpoint_.poll_data()) {
      const auto path = endpoint_.path_of(data->connection);
      const auto answer = options_.answers_coap
                              ? answer_to_coap(data->bytes)
                              : dtls::Buffer(data->bytes.begin(), data->bytes.end());
      if (!answer) continue;
      const auto size = endpoint_.seal(data->connection, *answer, out);
      if (path && size) socket_.send(std::span(out).first(*size), *path);
    }
  }

  void on_event(const dtls::EndpointEvent& event) {
    if (const auto* asked = std::get_if<dtls::PeerCertificateReceived>(&event.what)) {
      judge(endpoint_, event.connection, *asked, config_, environment_, common::now());
    } else if (const auto* connected = std::get_if<dtls::Connected>(&event.what)) {
      on_connected(event.connection, connected->info);
    } else if (const auto* session = std::get_if<dtls::SessionRequested>(&event.what)) {
      answer(event.connection, *session);
    } else if (const auto* psk = std::get_if<dtls::PskRequested>(&event.what)) {
      answer(event.connection, *psk);
    } else if (const auto* to_store = std::get_if<dtls::SessionToStore>(&event.what)) {
      options_.sessions->keep(*to_store, common::now());
    } else if (const auto* ended = std::get_if<dtls::Ended>(&event.what)) {
      report(ended->path, std::string(to_string(ended->reason)) +
                              (ended->error ? ": " + to_string(*ended->error) : ""));
    }
  }

  void answer(dtls::ConnectionHandle connection, const auto& asked) {
    // What comes of it the next events tell.
    static_cast<void>(endpoint_.answer(connection, asked.question,
                                       options_.sessions->answer(asked, common::now()),
                                       common::now()));
  }

  void on_connected(dtls::ConnectionHandle connection, const dtls::ConnectionInfo& info) {
    if (const auto path = endpoint_.path_of(connection)) report(*path, describe(info));
    const auto keys = export_keys(*endpoint_.find(connection), options_.tool);
    if (!keys.empty()) std::cerr << keys + "\n";
    const auto& asked = info.server_name;
    if (!asked.empty() && !options_.server_name.empty() && asked != options_.server_name) {
      std::cerr << "no server of the name " + asked + "\n";
      static_cast<void>(endpoint_.close(connection, common::now()));
    }
  }

  void report(const dtls::UdpPath& path, const std::string& what) const {
    // In one piece, as threads take turns.
    if (!options_.tool.quiet) std::cerr << to_string(path.peer) + " " + what + "\n";
  }

  UdpSocket& socket_;
  const EchoOptions& options_;
  ToolConfig config_;
  dtls::Environment& environment_;
  dtls::Endpoint endpoint_;
  Poller poller_;
};

}  // namespace

tl::expected<void, std::string> serve(UdpSocket& socket, const EchoOptions& options, int stop) {
  common::Recorder recorder(options.tool.files);
  if (!recorder.ok())
    return tl::unexpected<std::string>("--keylogfile or --pcap: can't be written");
  auto environment = dtls::Environment::make(recorder.environment_options());
  if (!environment) return tl::unexpected(to_string(environment.error()));
  auto config = make_config(options.tool, *environment, options.wanted);
  if (!config) return tl::unexpected(config.error());
  auto endpoint = dtls::Endpoint::make({.server = config->config}, *environment);
  if (!endpoint) return tl::unexpected(to_string(endpoint.error()));
  Server(socket, options, *std::move(config), *environment, *std::move(endpoint)).run(stop);
  return {};
}

}  // namespace sluice::interop::tools
