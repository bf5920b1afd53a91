// The sessions of a server that wait in a store, sealed.
#pragma once

#include <sluice/dtls/environment.h>
#include <sluice/dtls/live_session.h>
#include <sluice/dtls/state_keys.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "tools/store_address.h"
#include "tools/stored_session.h"

namespace sluice::interop::tools {

// No other request of the same store ever has the same number.
enum class StoreRequest : std::uint64_t {};

struct StoreOutcome {
  StoreRequest request{};
  std::optional<StoredSession> session = {};  // of a take()
  // What went wrong. Empty after take() without a session: the store has none.
  std::string error = {};
};

// Nothing blocks. Used by one thread. Requests are carried out in their order, and each has one
// outcome.
class SleepingSessions {
 public:
  SleepingSessions() = default;
  SleepingSessions(const SleepingSessions&) = delete;
  SleepingSessions& operator=(const SleepingSessions&) = delete;
  virtual ~SleepingSessions() = default;

  // The session is found by each of its own connection IDs. It replaces the one that has the same
  // tag, if it has one.
  virtual StoreRequest put(const dtls::SessionState& state, const dtls::UdpEndpoint& peer) = 0;
  virtual StoreRequest take(dtls::Bytes connection_id) = 0;
  // Removes the session with this tag, if there is one.
  virtual StoreRequest erase(dtls::Bytes tag) = 0;

  virtual std::optional<StoreOutcome> poll() = 0;
  // Readable once poll() has the outcome of a call that the store has accepted. One that it has
  // refused has its outcome at once.
  [[nodiscard]] virtual int descriptor() const = 0;
  // The calls whose outcomes have not been polled.
  [[nodiscard]] virtual std::size_t pending() const = 0;
};

// The environment and the keys must outlive it. An LMDB database is open for one process alone: it
// may have snapshots of sessions that are in use there. The error says what is wrong; also where
// the tools were built without sluice::session_stores.
tl::expected<std::unique_ptr<SleepingSessions>, std::string> open_sleeping_sessions(
    const StoreAddress& address, dtls::Environment& environment, const dtls::StateKeys& keys);

}  // namespace sluice::interop::tools
