// A resumption store in memory for servers.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include <sluice/dtls/event.h>

namespace sluice::dtls {

// For Resumption::store in DTLS 1.2 and 1.3: keeps the sessions of SessionToStore and answers
// SessionRequested and PskRequested. Several threads and any number of connections may use it at
// once; their connections must share one clock.
//
// A session that is lost costs its client only a full handshake.
class ResumptionStore {
 public:
  // Above `capacity` sessions the least recently used one is removed. A session takes about 200
  // bytes and the peer's certificate.
  explicit ResumptionStore(std::size_t capacity = 16384);
  ResumptionStore(const ResumptionStore&) = delete;
  ResumptionStore& operator=(const ResumptionStore&) = delete;
  ~ResumptionStore();

  // Replaces a session of the same name.
  void keep(const SessionToStore& session, Instant now);
  // Empty when there is none, or it has expired.
  [[nodiscard]] std::optional<ResumableSession> find(Bytes id, Instant now);
  // Removes a session. Call it for a connection that has failed: RFC 5246 section 7.2.2 forbids to
  // resume its session, and the store does not learn of the failure.
  void forget(Bytes id);

  // An answer for Connection::answer(): the session, the first of several, or none.
  [[nodiscard]] SessionRequested::Answer answer(const SessionRequested& asked, Instant now);
  [[nodiscard]] PskRequested::Answer answer(const PskRequested& asked, Instant now);

  // The number of sessions, including expired ones that were not requested since.
  [[nodiscard]] std::size_t size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::dtls
