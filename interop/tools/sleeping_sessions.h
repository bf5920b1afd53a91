// The sessions of a server that wait in a store, sealed.
#pragma once

#include <sluice/dtls/environment.h>
#include <sluice/dtls/sleeping_session.h>
#include <sluice/dtls/state_keys.h>

#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "tools/store_address.h"
#include "tools/stored_session.h"

namespace sluice::interop::tools {

// The outcome of a put() or take().
struct StoreOutcome {
  // What take() was told; empty: the outcome of a put().
  std::optional<dtls::WantedSession> wanted = {};
  std::optional<StoredSession> session = {};
  // What went wrong. Empty after take() without a session: the store has none.
  std::string error = {};
};

// Nothing blocks. Used by one thread.
class SleepingSessions {
 public:
  SleepingSessions() = default;
  SleepingSessions(const SleepingSessions&) = delete;
  SleepingSessions& operator=(const SleepingSessions&) = delete;
  virtual ~SleepingSessions() = default;

  // An outcome follows. The session is found by each of its own connection IDs.
  virtual void put(const dtls::SessionState& state, const dtls::UdpEndpoint& peer) = 0;
  virtual void take(dtls::WantedSession wanted, dtls::Bytes connection_id) = 0;

  virtual std::optional<StoreOutcome> poll() = 0;
  // Readable once poll() has the outcome of a call that the store has accepted. One that it has
  // refused has its outcome at once.
  [[nodiscard]] virtual int descriptor() const = 0;
  // The calls whose outcomes have not been polled.
  [[nodiscard]] virtual std::size_t pending() const = 0;
};

// The environment and the keys must outlive it. The error says what is wrong; also where the tools
// were built without sluice::session_stores.
tl::expected<std::unique_ptr<SleepingSessions>, std::string> open_sleeping_sessions(
    const StoreAddress& address, dtls::Environment& environment, const dtls::StateKeys& keys);

}  // namespace sluice::interop::tools
