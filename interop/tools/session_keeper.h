// Moves sessions between an Endpoint and a store: idle ones into the store, all at the end, and
// back when a datagram comes for them. With snapshots, they also survive a crash.
#pragma once

#include <sluice/dtls/endpoint.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "tools/sleeping_sessions.h"
#include "tools/snapshot_keeper.h"

namespace sluice::interop::tools {

// What a SessionKeeper has done.
struct KeeperCounts {
  std::uint64_t stored = 0;    // puts that the store has confirmed
  std::uint64_t lost = 0;      // puts that have failed: these peers make a full handshake
  std::uint64_t restored = 0;  // sessions that went on here
  std::uint64_t refused = 0;   // what the store gave, but the Endpoint did not take
};

class SessionKeeper {
 public:
  using Report = std::function<void(const std::string& what)>;

  // The endpoint outlives the keeper. `config` is that of its connections.
  SessionKeeper(dtls::Endpoint& endpoint, std::unique_ptr<SleepingSessions> sessions,
                dtls::ConfigPtr config, bool takes_snapshots, Report report);
  SessionKeeper(const SessionKeeper&) = delete;
  SessionKeeper& operator=(const SessionKeeper&) = delete;
  ~SessionKeeper() = default;

  // Call it with each event of the Endpoint.
  void on_event(const dtls::EndpointEvent& event);
  // Call it when a connection has sent something, or could not.
  void on_sent(dtls::ConnectionHandle connection) { snapshots_.on_sent(connection); }
  // Takes the store's outcomes to the Endpoint, which is then to be drained. Call it after each
  // turn of the loop, which waits for the descriptor, too.
  void poll();
  // Starts what is due. Call it after poll(), when the Endpoint is drained.
  void keep_snapshots() { snapshots_.keep(); }
  // The requests to the store whose outcomes have not been polled.
  [[nodiscard]] std::size_t pending() const { return sessions_->pending(); }
  [[nodiscard]] int descriptor() const { return sessions_->descriptor(); }

  // Takes the sessions out of the Endpoint and puts them into the store, some in each call, and
  // wakes no more. True: nothing is left to do. What cannot be exported yet stays for the next
  // call; connections without IDs stay in any case.
  bool move_out();

  [[nodiscard]] const KeeperCounts& counts() const { return counts_; }
  [[nodiscard]] const SnapshotCounts& snapshots() const { return snapshots_.counts(); }
  // The sessions in the Endpoint that could be stored.
  [[nodiscard]] std::size_t awake() const { return awake_.size(); }

 private:
  void on_restored(dtls::ConnectionHandle connection, dtls::Bytes tag);
  void take(const dtls::SessionWanted& wanted);
  void answer(const dtls::SessionWanted& wanted, StoreOutcome outcome);
  void restore(const dtls::SessionWanted& wanted, StoredSession session);
  void on_put(const StoreOutcome& outcome);

  dtls::Endpoint& endpoint_;
  std::unique_ptr<SleepingSessions> sessions_;
  dtls::ConfigPtr config_;
  Report report_;
  SnapshotKeeper snapshots_;
  std::unordered_set<dtls::ConnectionHandle> awake_;  // connected, with connection IDs
  std::unordered_map<StoreRequest, dtls::SessionWanted> asked_;
  bool is_moving_out_ = false;
  KeeperCounts counts_;
};

}  // namespace sluice::interop::tools
