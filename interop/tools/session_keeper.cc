#include "tools/session_keeper.h"

#include <sluice/udp/address.h>

#include <utility>

#include "common/clock.h"

namespace sluice::interop::tools {
namespace {

// The puts that move_out() has under way at most. It bounds the memory that they take.
constexpr std::size_t kMovesAtOnce = 1024;

// Where the session goes on: at its peer's last address, and at the address of this machine that
// its peer uses now.
dtls::UdpPath path_of(const dtls::UdpEndpoint& peer, const dtls::UdpPath& present) {
  dtls::UdpPath path{.socket = present.socket, .peer = peer, .own = {}};
  if (present.own.address.index() == peer.address.index()) path.own = present.own;
  return path;
}

// Whether the session may go on later, or at another server.
bool is_worth_keeping(dtls::Errc error) {
  return error == dtls::Errc::not_wanted || error == dtls::Errc::too_many_connections ||
         error == dtls::Errc::libcrypto_failure;
}

}  // namespace

SessionKeeper::SessionKeeper(dtls::Endpoint& endpoint, std::unique_ptr<SleepingSessions> sessions,
                             dtls::ConfigPtr config, bool takes_snapshots, Report report)
    : endpoint_(endpoint),
      sessions_(std::move(sessions)),
      config_(std::move(config)),
      report_(std::move(report)),
      snapshots_(endpoint_, *sessions_, takes_snapshots, report_) {}

void SessionKeeper::on_event(const dtls::EndpointEvent& event) {
  const dtls::ConnectionHandle connection = event.connection;
  if (const auto* connected = std::get_if<dtls::Connected>(&event.what)) {
    if (connected->info.own_connection_id.empty()) return;
    awake_.insert(connection);
    snapshots_.add(connection, {});
  } else if (const auto* restored = std::get_if<dtls::SessionRestored>(&event.what)) {
    on_restored(connection, restored->tag);
  } else if (const auto* aged = std::get_if<dtls::SessionAged>(&event.what)) {
    awake_.erase(connection);
    snapshots_.remove(connection);
    sessions_->put(aged->state, aged->path.peer);
    report_(udp::to_string(aged->path.peer) + " asleep");
  } else if (const auto* wanted = std::get_if<dtls::SessionWanted>(&event.what)) {
    take(*wanted);
  } else if (std::holds_alternative<dtls::PeerMoved>(event.what)) {
    snapshots_.on_moved(connection);
  } else if (std::holds_alternative<dtls::Ended>(event.what)) {
    awake_.erase(connection);
    snapshots_.on_ended(connection);
  }
}

void SessionKeeper::on_restored(dtls::ConnectionHandle connection, dtls::Bytes tag) {
  awake_.insert(connection);
  snapshots_.add(connection, tag);
  ++counts_.restored;
  if (const auto path = endpoint_.path_of(connection)) {
    report_(udp::to_string(path->peer) + " restored");
  }
}

void SessionKeeper::take(const dtls::SessionWanted& wanted) {
  if (is_moving_out_) {
    static_cast<void>(endpoint_.drop_wanted(wanted.wanted, common::now()));
    return;
  }
  asked_.emplace(sessions_->take(wanted.connection_id.bytes()), wanted);
}

void SessionKeeper::poll() {
  while (auto outcome = sessions_->poll()) {
    if (const auto asked = asked_.extract(outcome->request); !asked.empty()) {
      answer(asked.mapped(), *std::move(outcome));
    } else if (!snapshots_.on_outcome(*outcome)) {
      on_put(*outcome);
    }
  }
}

void SessionKeeper::on_put(const StoreOutcome& outcome) {
  ++(outcome.error.empty() ? counts_.stored : counts_.lost);
  if (!outcome.error.empty()) report_("a session was not stored: " + outcome.error);
}

void SessionKeeper::answer(const dtls::SessionWanted& wanted, StoreOutcome outcome) {
  if (!outcome.error.empty()) {
    report_(udp::to_string(wanted.path.peer) + ": its session cannot be had: " + outcome.error);
  }
  if (outcome.session && !snapshots_.reclaim(outcome.session->state.tag())) {
    restore(wanted, *std::move(outcome.session));
  } else {
    static_cast<void>(endpoint_.drop_wanted(wanted.wanted, common::now()));
  }
}

void SessionKeeper::restore(const dtls::SessionWanted& wanted, StoredSession session) {
  const auto path = path_of(session.peer, wanted.path);
  const auto restored = endpoint_.restore_wanted(wanted.wanted, config_, std::move(session.state),
                                                 path, common::now());
  if (restored) return;
  ++counts_.refused;
  report_(udp::to_string(wanted.path.peer) +
          ": its session does not go on: " + to_string(restored.error()));
  // NOLINTNEXTLINE(bugprone-use-after-move): an Error leaves the state where it was.
  if (is_worth_keeping(restored.error().code)) sessions_->put(session.state, session.peer);
}

bool SessionKeeper::move_out() {
  is_moving_out_ = true;
  for (auto next = awake_.begin(); next != awake_.end() && sessions_->pending() < kMovesAtOnce;) {
    const auto connection = *next++;
    // What waits for the snapshot is still to be sent.
    if (snapshots_.is_storing(connection)) continue;
    const auto path = endpoint_.path_of(connection);
    const auto state = endpoint_.export_session(connection, {}, common::now());
    if (!state && state.error().code == dtls::Errc::export_blocked) continue;
    awake_.erase(connection);
    snapshots_.remove(connection);
    if (state && path) sessions_->put(*state, path->peer);
  }
  poll();
  return awake_.empty() && sessions_->pending() == 0;
}

}  // namespace sluice::interop::tools
