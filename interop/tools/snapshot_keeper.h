// Keeps snapshots of the sessions in an Endpoint in a store, so that they go on after a crash.
#pragma once

#include <sluice/dtls/endpoint.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "tools/sleeping_sessions.h"

namespace sluice::interop::tools {

struct SnapshotCounts {
  std::uint64_t stored = 0;
  std::uint64_t failed = 0;     // that the store did not take: tried again with the next record
  std::uint64_t reclaimed = 0;  // taken out of the store while their session was here
  // Sessions that have ended and whose snapshot may still be in the store.
  std::uint64_t left_behind = 0;
};

// Each session has a name of its own, its tag, under which the store has one state at a time: the
// newest snapshot, or what the session has exported. Its first connection ID would not do, because
// that changes when a DTLS 1.3 peer uses another one.
class SnapshotKeeper {
 public:
  using Report = std::function<void(const std::string& what)>;

  // The endpoint and the sessions outlive the keeper. `takes_all`: of all sessions. Else of those
  // alone that have had snapshots before, and may send no further than these allow.
  SnapshotKeeper(dtls::Endpoint& endpoint, SleepingSessions& sessions, bool takes_all,
                 Report report);

  // A session with connection IDs has begun here, or has been restored with this tag.
  void add(dtls::ConnectionHandle connection, dtls::Bytes tag);
  // The session leaves, and its state takes the place of the snapshot.
  void remove(dtls::ConnectionHandle connection);
  // The session is over: its snapshot must not be restored.
  void on_ended(dtls::ConnectionHandle connection);
  // Its peer has moved, so the address in the snapshot is old.
  void on_moved(dtls::ConnectionHandle connection);
  // The connection has sent something, or could not.
  void on_sent(dtls::ConnectionHandle connection);

  // Takes the snapshots that are due, and removes those of sessions that are over, as many as the
  // store should have under way.
  void keep();
  // Whether the outcome is of a request of this keeper. The Endpoint is then to be drained.
  bool on_outcome(const StoreOutcome& outcome);
  // Whether the session of this name is here. Its snapshot was taken out of the store, because a
  // datagram had a connection ID that the connection does not use any more: a new one is due.
  bool reclaim(dtls::Bytes tag);

  // A snapshot of the connection is on its way into the store.
  [[nodiscard]] bool is_storing(dtls::ConnectionHandle connection) const;
  [[nodiscard]] const SnapshotCounts& counts() const { return counts_; }

 private:
  struct Session {
    dtls::Buffer name;
    bool needs_snapshot = false;
    bool is_storing = false;
    bool was_put = false;
  };
  struct Put {
    dtls::ConnectionHandle connection;
    dtls::SnapshotId snapshot;
  };

  Session* find(dtls::ConnectionHandle connection);
  void take(dtls::ConnectionHandle connection, Session& session);
  void on_put(const Put& put, const std::string& error);
  void erase(dtls::Buffer name);

  dtls::Endpoint& endpoint_;
  SleepingSessions& sessions_;
  bool takes_all_;
  Report report_;
  std::unordered_map<dtls::ConnectionHandle, Session> live_;
  std::map<dtls::Buffer, dtls::ConnectionHandle> by_name_;
  std::unordered_set<dtls::ConnectionHandle> due_;
  std::deque<dtls::Buffer> over_;  // names of sessions
  std::unordered_map<StoreRequest, Put> puts_;
  std::unordered_set<StoreRequest> erasures_;
  SnapshotCounts counts_;
};

}  // namespace sluice::interop::tools
