#include "tools/line_client.h"

#include <fcntl.h>
#include <sluice/udp/address.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include "common/clock.h"
#include "tools/endpoint_loop.h"
#include "tools/tool_context.h"

namespace sluice::interop::tools {
namespace {

dtls::Duration seconds(double count) {
  return std::chrono::duration_cast<dtls::Duration>(std::chrono::duration<double>(count));
}

class Client final : private EndpointHandler {
 public:
  Client(const LineOptions& options, ToolContext& context, EndpointDriver driver, int input)
      : options_(options), context_(context), loop_(std::move(driver), *this), input_(input) {}

  tl::expected<LineOutcome, std::string> run(const dtls::UdpEndpoint& server) {
    const auto session = read_session();
    if (!session) return tl::unexpected(session.error());
    auto made =
        loop_.endpoint().connect(context_.config(), {.peer = server}, common::now(), *session);
    if (!made) return fail(to_string(made.error()));
    connection_ = *made;
    loop_.drain();
    while (!ended_) turn();
    return ended_->reason == dtls::EndReason::failed ? LineOutcome::failed : LineOutcome::done;
  }

 private:
  void turn() {
    loop_.turn(is_confirmed() ? common::earlier(wait_until_, rebind_at_) : std::nullopt);
    rebind_when_due();
    if (connected_ && loop_.poller().is_ready(input_)) read_input();
    const bool has_all = received_ >= sent_ && (options_.session_out.empty() || has_session_);
    // Without the server's acknowledgement the server may not be connected. The endpoint reports a
    // failure when it does not arrive.
    if (wait_until_ && !ended_ && is_confirmed() && (has_all || common::now() >= *wait_until_)) {
      static_cast<void>(loop_.endpoint().close(connection_, common::now()));
      loop_.drain();
    }
  }

  void rebind_when_due() {
    if (options_.rebind_every == 0 || ended_ || !is_confirmed()) return;
    const auto now = common::now();
    if (rebind_at_ && now < *rebind_at_) return;
    if (rebind_at_) rebind();
    keep_spare_ids();
    rebind_at_ = now + seconds(options_.rebind_every);
  }

  void rebind() {
    auto fresh = loop_.socket().with_another_port();
    if (!fresh) return report("--rebind-every: " + fresh.error());
    if (const auto changed = loop_.change_socket(*std::move(fresh)); !changed) {
      return report("--rebind-every: " + changed.error());
    }
    bool has_another_id = false;
    static_cast<void>(loop_.endpoint().apply(connection_, [&](dtls::Connection& connection) {
      has_another_id =
          connection.spare_connection_ids() != 0 && connection.change_connection_id().has_value();
      return dtls::Result<dtls::Pending>{};
    }));
    report("now at " + udp::to_string(loop_.socket().own()) +
           (has_another_id ? ", with another connection ID" : ""));
  }

  // Asks for spare connection IDs when there are none left. Without them, as in DTLS 1.2, the
  // client goes on with the ID that it has.
  void keep_spare_ids() {
    constexpr std::size_t kSpares = 4;
    static_cast<void>(loop_.endpoint().apply(connection_, [](dtls::Connection& connection) {
      if (connection.spare_connection_ids() != 0) return dtls::Result<dtls::Pending>{};
      return connection.request_connection_ids(kSpares, common::now());
    }));
    loop_.drain();
  }

  [[nodiscard]] bool is_confirmed() {
    const dtls::Connection* connection = loop_.endpoint().find(connection_);
    return connection != nullptr && connection->handshake_confirmed();
  }

  void on_data(const dtls::EndpointData& data) override {
    received_ += data.bytes.size();
    std::cout.write(reinterpret_cast<const char*>(data.bytes.data()), std::ssize(data.bytes));
    std::cout.flush();
  }

  void on_event(const dtls::EndpointEvent& event) override {
    if (const auto* asked = std::get_if<dtls::PeerCertificateReceived>(&event.what)) {
      const auto fingerprint = dtls::Fingerprint::of(
          asked->chain.front(), dtls::HashAlgorithm::sha256, context_.environment());
      const bool is_raw = asked->type == dtls::CertificateType::raw_public_key;
      const std::string what = is_raw ? "server's raw public key: " : "server's certificate: ";
      if (fingerprint) report(what + fingerprint->to_sdp());
      answer_certificate(event.connection, *asked);
    } else if (const auto* connected = std::get_if<dtls::Connected>(&event.what)) {
      report(describe(connected->info));
      const auto keys = export_keys(*loop_.endpoint().find(connection_), options_.tool);
      if (!keys.empty()) std::cerr << keys << '\n';
      connected_ = true;
      loop_.poller().add(input_);
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

  void answer_certificate(dtls::ConnectionHandle connection,
                          const dtls::PeerCertificateReceived& asked) {
    const bool is_unverified = options_.tool.fingerprint.empty();
    // Who has a key to share does not expect that the server needs none.
    if (is_unverified && !options_.tool.psk.empty()) {
      std::cerr << "sluice-dtls-client: the server shows a certificate instead of using --psk; "
                   "--fingerprint or --CAfile accepts it\n";
      static_cast<void>(
          loop_.endpoint().answer(connection, asked.question, dtls::RejectPeer{}, common::now()));
      return;
    }
    if (is_unverified)
      report("the certificate is accepted unverified: see --fingerprint, --CAfile");
    context_.answer_certificate(loop_.endpoint(), connection, asked);
  }

  void on_refused() override {
    if (std::exchange(was_refused_, true)) return;
    std::cerr << "sluice-dtls-client: connection refused: nothing listens at that port, says the "
                 "network; trying on\n";
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
    // Mode 0600: the file holds a secret.
    const int file =
        open(options_.session_out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const dtls::Buffer bytes = session.serialize();
    const bool written = file >= 0 && write(file, bytes.data(), bytes.size()) == std::ssize(bytes);
    if (file >= 0) ::close(file);
    if (!written) std::cerr << options_.session_out << ": can't be written\n";
    has_session_ = true;
  }

  // Sends one record for each line; a line longer than a record takes several.
  void read_input() {
    std::array<char, dtls::kMaxApplicationData> bytes{};
    const auto size = read(input_, bytes.data(), bytes.size());
    if (size <= 0) {
      loop_.poller().remove(input_);
      connected_ = false;  // there is nothing more to send
      if (!line_.empty()) send_line();
      wait_until_ = common::now() + seconds(options_.wait);
      return;
    }
    for (const char c : std::span(bytes).first(static_cast<std::size_t>(size))) {
      line_.push_back(c);
      if (c == '\n' || line_.size() == dtls::kMaxApplicationData) send_line();
    }
  }

  void send_line() {
    if (loop_.send(connection_, std::as_bytes(std::span(line_)))) sent_ += line_.size();
    line_.clear();
    if (options_.key_update == 0 || ++lines_ % options_.key_update != 0) return;
    const auto update = [](dtls::Connection& connection) {
      return connection.update_keys(dtls::KeyUpdateRequest::update_requested, common::now());
    };
    const auto updated = loop_.endpoint().apply(connection_, update);
    if (!updated) report("--key_update: " + to_string(updated.error()));
    loop_.drain();
  }

  void report(const std::string& what) const {
    if (!options_.tool.quiet) std::cerr << what << '\n';
  }
  static LineOutcome fail(const std::string& why) {
    std::cerr << "sluice-dtls-client: " << why << '\n';
    return LineOutcome::failed;
  }

  const LineOptions& options_;
  ToolContext& context_;
  EndpointLoop loop_;
  int input_;
  dtls::ConnectionHandle connection_{};
  bool connected_ = false;
  std::optional<dtls::Ended> ended_;
  std::string line_;
  std::size_t lines_ = 0;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
  bool has_session_ = false;
  bool was_refused_ = false;
  std::optional<dtls::Instant> wait_until_;
  std::optional<dtls::Instant> rebind_at_;
};

}  // namespace

tl::expected<LineOutcome, std::string> talk(udp::Socket socket, const dtls::UdpEndpoint& server,
                                            const LineOptions& options, int input) {
  auto context = ToolContext::make(options.tool, dtls::PeerAuthentication::require);
  if (!context) return tl::unexpected(context.error());
  auto endpoint = dtls::Endpoint::make({}, (*context)->environment());
  if (!endpoint) return tl::unexpected(to_string(endpoint.error()));
  auto driver = EndpointDriver::make(*std::move(endpoint), std::move(socket));
  if (!driver) return tl::unexpected(driver.error());
  return Client(options, **context, *std::move(driver), input).run(server);
}

}  // namespace sluice::interop::tools
