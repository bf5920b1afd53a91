#include "tools/line_client.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iostream>
#include <iterator>

#include "common/clock.h"
#include "tools/acceptance.h"
#include "tools/poller.h"

namespace sluice::interop::tools {
namespace {

class Client {
 public:
  Client(UdpSocket& socket, const LineOptions& options, ToolConfig config,
         dtls::Environment& environment, dtls::Endpoint endpoint, int input)
      : socket_(socket),
        options_(options),
        config_(std::move(config)),
        environment_(environment),
        endpoint_(std::move(endpoint)),
        input_(input) {}

  tl::expected<LineOutcome, std::string> run(const dtls::UdpEndpoint& server) {
    const auto session = read_session();
    if (!session) return tl::unexpected(session.error());
    poller_.add(socket_.descriptor());
    auto made = endpoint_.connect(config_.config, {.peer = server}, common::now(), *session);
    if (!made) return fail(to_string(made.error()));
    connection_ = *made;
    drain();
    while (!ended_) turn();
    return ended_->reason == dtls::EndReason::failed ? LineOutcome::failed : LineOutcome::done;
  }

 private:
  void turn() {
    poller_.wait(next_time());
    endpoint_.handle_timeout(common::now());
    if (poller_.is_ready(socket_.descriptor())) {
      socket_.receive([&](dtls::MutableBytes datagram, const dtls::UdpPath& from) {
        // One server, one socket: which of our addresses it was doesn't matter.
        endpoint_.handle_datagram(datagram, {.peer = from.peer}, common::now());
        drain();
      });
    }
    drain();
    if (connected_ && poller_.is_ready(input_)) read_input();
    const bool has_all = received_ >= sent_ && (options_.session_out.empty() || has_session_);
    if (wait_until_ && !ended_ && (has_all || common::now() >= *wait_until_)) {
      static_cast<void>(endpoint_.close(connection_, common::now()));
      drain();
    }
  }

  [[nodiscard]] std::optional<dtls::Instant> next_time() const {
    const auto timeout = endpoint_.next_timeout();
    if (!wait_until_) return timeout;
    return timeout ? std::min(*timeout, *wait_until_) : *wait_until_;
  }

  void drain() {
    std::array<std::byte, dtls::kMaxDatagram> out{};
    print();
    while (auto event = endpoint_.poll_event()) {
      on_event(*event);
      print();
    }
    while (const auto sent = endpoint_.poll_transmit(out)) {
      socket_.send(std::span(out).first(sent->size), sent->path);
    }
  }

  void print() {
    while (const auto data = endpoint_.poll_data()) {
      received_ += data->bytes.size();
      std::cout.write(reinterpret_cast<const char*>(data->bytes.data()), std::ssize(data->bytes));
    }
    std::cout.flush();
  }

  void on_event(const dtls::EndpointEvent& event) {
    if (const auto* asked = std::get_if<dtls::PeerCertificateReceived>(&event.what)) {
      const auto fingerprint =
          dtls::Fingerprint::of(asked->chain.front(), dtls::HashAlgorithm::sha256, environment_);
      if (fingerprint) report("server's certificate: " + fingerprint->to_sdp());
      judge(endpoint_, event.connection, *asked, config_, environment_, common::now());
    } else if (const auto* connected = std::get_if<dtls::Connected>(&event.what)) {
      report(describe(connected->info));
      const auto keys = export_keys(*endpoint_.find(connection_), options_.tool);
      if (!keys.empty()) std::cerr << keys << '\n';
      connected_ = true;
      poller_.add(input_);
    } else if (const auto* ticket = std::get_if<dtls::SessionReceived>(&event.what)) {
      write_session(ticket->session);
    } else if (const auto* ended = std::get_if<dtls::Ended>(&event.what)) {
      ended_ = *ended;
      if (ended->error) {
        std::cerr << "sluice-dtls-client: " << to_string(*ended->error) << '\n';
      } else {
        report(std::string(to_string(ended->reason)));
      }
    }
  }

  [[nodiscard]] tl::expected<std::optional<dtls::ResumableSession>, std::string> read_session()
      const {
    if (options_.session_in.empty()) return std::nullopt;
    std::ifstream file(options_.session_in, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto session = dtls::ResumableSession::parse(std::as_bytes(std::span(text)));
    if (!session) return tl::unexpected(options_.session_in + ": " + to_string(session.error()));
    return *session;
  }

  void write_session(const dtls::ResumableSession& session) {
    if (options_.session_out.empty()) return;
    // Nobody else's to read.
    const int file =
        open(options_.session_out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const dtls::Buffer bytes = session.serialize();
    const bool written = file >= 0 && write(file, bytes.data(), bytes.size()) == std::ssize(bytes);
    if (file >= 0) ::close(file);
    if (!written) std::cerr << options_.session_out << ": can't be written\n";
    has_session_ = true;
  }

  // A record for each line, or for a piece of one that is too long.
  void read_input() {
    std::array<char, dtls::kMaxApplicationData> bytes{};
    const auto size = read(input_, bytes.data(), bytes.size());
    if (size <= 0) {
      poller_.remove(input_);
      connected_ = false;  // nothing more to be sent
      if (!line_.empty()) send_line();
      wait_until_ = common::now() + std::chrono::duration_cast<dtls::Duration>(
                                        std::chrono::duration<double>(options_.wait));
      return;
    }
    for (const char c : std::span(bytes).first(static_cast<std::size_t>(size))) {
      line_.push_back(c);
      if (c == '\n' || line_.size() == dtls::kMaxApplicationData) send_line();
    }
  }

  void send_line() {
    std::array<std::byte, dtls::kMaxApplicationData + dtls::kSealOverhead> out{};
    const auto path = endpoint_.path_of(connection_);
    const auto size = endpoint_.seal(connection_, std::as_bytes(std::span(line_)), out);
    if (path && size) {
      socket_.send(std::span(out).first(*size), *path);
      sent_ += line_.size();
    }
    line_.clear();
  }

  void report(const std::string& what) const {
    if (!options_.tool.quiet) std::cerr << what << '\n';
  }
  static LineOutcome fail(const std::string& why) {
    std::cerr << "sluice-dtls-client: " << why << '\n';
    return LineOutcome::failed;
  }

  UdpSocket& socket_;
  const LineOptions& options_;
  ToolConfig config_;
  dtls::Environment& environment_;
  dtls::Endpoint endpoint_;
  int input_;
  Poller poller_;
  dtls::ConnectionHandle connection_{};
  bool connected_ = false;
  std::optional<dtls::Ended> ended_;
  std::string line_;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
  bool has_session_ = false;
  std::optional<dtls::Instant> wait_until_;
};

}  // namespace

tl::expected<LineOutcome, std::string> talk(UdpSocket& socket, const dtls::UdpEndpoint& server,
                                            const LineOptions& options, int input) {
  common::Recorder recorder(options.tool.files);
  if (!recorder.ok())
    return tl::unexpected<std::string>("--keylogfile or --pcap: can't be written");
  auto environment = dtls::Environment::make(recorder.environment_options());
  if (!environment) return tl::unexpected(to_string(environment.error()));
  auto config = make_config(options.tool, *environment, dtls::PeerAuthentication::require);
  if (!config) return tl::unexpected(config.error());
  auto endpoint = dtls::Endpoint::make({}, *environment);
  if (!endpoint) return tl::unexpected(to_string(endpoint.error()));
  return Client(socket, options, *std::move(config), *environment, *std::move(endpoint), input)
      .run(server);
}

}  // namespace sluice::interop::tools
