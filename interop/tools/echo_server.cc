#include "tools/echo_server.h"

#include <sluice/udp/address.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <utility>

#include "common/clock.h"
#include "tools/coap_answer.h"
#include "tools/endpoint_loop.h"
#include "tools/session_keeper.h"
#include "tools/tool_context.h"
#include "tools/waiting_answers.h"

namespace sluice::interop::tools {
namespace {

// The first octet, a server number of one byte and the shortest nonce.
constexpr std::size_t kMinRoutableId = 6;

// How long the server goes on at its end for sessions that are to be stored.
constexpr auto kMoveOutLimit = std::chrono::seconds{5};
// When it looks again whether a session that cannot be exported yet has become so.
constexpr auto kMoveOutPause = std::chrono::milliseconds{20};
// The questions to the store that wait at once.
constexpr std::size_t kMaxWanted = 4096;

class Server final : private EndpointHandler {
 public:
  Server(const EchoOptions& options, ToolContext& context, EndpointDriver driver)
      : options_(options), context_(context), loop_(std::move(driver), *this) {}

  void keep_sessions(std::unique_ptr<SleepingSessions> sessions) {
    const auto report = [this](const std::string& what) {
      if (!options_.tool.quiet) std::cerr << what + "\n";
    };
    keeper_.emplace(loop_.endpoint(), std::move(sessions), context_.config(),
                    options_.takes_snapshots, report);
    loop_.poller().add(keeper_->descriptor());
  }

  // At the end.
  udp::Socket release_socket() { return std::move(loop_.socket()); }

  // The error says how many sessions could not be stored at the end.
  // `rotation` may be null.
  tl::expected<void, std::string> run(int stop, KeyRotation* rotation) {
    loop_.poller().add(stop);
    while (!loop_.poller().is_ready(stop) && !has_served_all()) {
      turn(rotation != nullptr ? std::optional(rotation->due()) : std::nullopt);
      if (rotation != nullptr && rotation->keep(context_.environment(), common::now()) &&
          !options_.tool.quiet) {
        std::cerr << "new ticket keys are in the file\n";
      }
      report_refused_hellos();
    }
    loop_.poller().remove(stop);
    tl::expected<void, std::string> moved;
    if (keeper_ && options_.store->kind != StoreKind::memory) moved = move_out();
    loop_.endpoint().close_all(common::now());
    loop_.drain();
    if (keeper_) keeper_->keep_snapshots();
    return moved;
  }

 private:
  void turn(std::optional<dtls::Instant> until) {
    loop_.turn(until);
    if (!keeper_) return;
    keeper_->poll();
    loop_.drain();
    waiting_.send([this](dtls::ConnectionHandle connection, dtls::Bytes answer) {
      return send_now(connection, answer);
    });
    keeper_->keep_snapshots();
  }

  tl::expected<void, std::string> move_out() {
    const KeeperCounts before = keeper_->counts();
    const auto limit = common::now() + kMoveOutLimit;
    bool is_done = false;
    while (!(is_done = keeper_->move_out()) && common::now() < limit) {
      loop_.drain();
      turn(common::now() + kMoveOutPause);
    }
    loop_.drain();
    report_sessions();
    const KeeperCounts& counts = keeper_->counts();
    if (is_done && counts.lost == before.lost) return {};
    return tl::unexpected("sessions that were not stored: " +
                          std::to_string(counts.lost - before.lost + keeper_->awake()));
  }

  void report_sessions() {
    const KeeperCounts& counts = keeper_->counts();
    const SnapshotCounts& snapshots = keeper_->snapshots();
    std::string text = "sessions: " + std::to_string(counts.stored) + " stored, " +
                       std::to_string(counts.restored) + " restored, " +
                       std::to_string(loop_.endpoint().statistics().connected) + " begun here";
    if (snapshots.stored + snapshots.failed != 0) {
      text += "; snapshots: " + std::to_string(snapshots.stored) + " stored, " +
              std::to_string(snapshots.failed) + " failed, " +
              std::to_string(snapshots.left_behind) +
              " left behind; answers dropped: " + std::to_string(waiting_.dropped());
    }
    std::cerr << text + "\n";
  }

  [[nodiscard]] bool has_served_all() {
    return options_.accept != 0 && loop_.endpoint().size() == 0 &&
           loop_.endpoint().statistics().connected >= options_.accept;
  }

  void on_data(const dtls::EndpointData& data) override {
    const auto answer = options_.answers_coap ? answer_to_coap(data.bytes)
                                              : dtls::Buffer(data.bytes.begin(), data.bytes.end());
    if (!answer) return;
    // In the order of the questions.
    if (waiting_.has(data.connection) || !send_now(data.connection, *answer)) {
      waiting_.add(data.connection, *answer);
    }
  }
  void on_sent(dtls::ConnectionHandle connection) override {
    if (keeper_) keeper_->on_sent(connection);
  }
  // False: not before a snapshot is stored.
  bool send_now(dtls::ConnectionHandle connection, dtls::Bytes answer) {
    const auto sent = loop_.send(connection, answer);
    on_sent(connection);
    return sent || sent.error() != dtls::SendError::snapshot_needed;
  }

  void on_event(const dtls::EndpointEvent& event) override {
    if (keeper_) keeper_->on_event(event);
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
    } else if (std::holds_alternative<dtls::SessionAged>(event.what)) {
      waiting_.forget(event.connection);
    } else if (const auto* moved = std::get_if<dtls::PeerMoved>(&event.what)) {
      report(moved->from, "moved to " + udp::to_string(moved->to.peer));
    } else if (const auto* ended = std::get_if<dtls::Ended>(&event.what)) {
      waiting_.forget(event.connection);
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
    if (!options_.tool.quiet) std::cerr << udp::to_string(path.peer) + " " + what + "\n";
  }

  const EchoOptions& options_;
  ToolContext& context_;
  EndpointLoop loop_;
  std::optional<SessionKeeper> keeper_;
  WaitingAnswers waiting_;
  std::uint64_t reported_refusals_ = 0;
};

dtls::EndpointOptions endpoint_options(const EchoOptions& options, const ToolContext& context,
                                       dtls::ConnectionIdSource* ids) {
  dtls::EndpointOptions made{
      .server = context.config(), .connection_ids = ids, .peer_move = dtls::PeerMove::newer_record};
  if (options.store) {
    made.waking.max_wanted = kMaxWanted;
    made.age_after = std::chrono::duration_cast<dtls::Duration>(
        std::chrono::duration<double>(options.age_after));
  }
  return made;
}

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

tl::expected<void, std::string> serve(udp::Socket& socket, const EchoOptions& options,
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
  auto endpoint =
      dtls::Endpoint::make(endpoint_options(options, **context, ids.get()), environment);
  if (!endpoint) return tl::unexpected(to_string(endpoint.error()));
  if (options.keys != nullptr) {
    const auto shared =
        endpoint->import_cookie_secret(options.keys->cookie_secret.bytes(), common::now());
    if (!shared) return tl::unexpected(to_string(shared.error()));
  }
  auto driver = EndpointDriver::make(*std::move(endpoint), std::move(socket));
  if (!driver) return tl::unexpected(driver.error());
  Server server(options, **context, *std::move(driver));
  if (options.store) {
    auto sessions = open_sleeping_sessions(*options.store, environment, options.keys->states);
    if (!sessions) return tl::unexpected(sessions.error());
    server.keep_sessions(*std::move(sessions));
  }
  auto served = server.run(stop, worker == 0 ? options.rotation : nullptr);
  socket = server.release_socket();
  return served;
}

}  // namespace sluice::interop::tools
