// A server's sessions in memory.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include <sluice/dtls/event.h>

namespace sluice::dtls {

// For Resumption::store, in both versions: keeps what SessionToStore tells and finds what
// SessionRequested and PskRequested ask for. May be used by several threads and any number of
// connections at once, whose connections then share one clock.
//
// A session that is lost costs its client a full handshake, nothing else.
class ResumptionStore {
 public:
  // Of more sessions than `capacity` the one goes that was not used for the longest time; each
  // takes some 200 bytes and the peer's certificate.
  explicit ResumptionStore(std::size_t capacity = 16384);
  ResumptionStore(const ResumptionStore&) = delete;
  ResumptionStore& operator=(const ResumptionStore&) = delete;
  ~ResumptionStore();

  // One of the same name gives way.
  void keep(const SessionToStore& session, Instant now);
  // Empty when there is none, or it has expired.
  [[nodiscard]] std::optional<ResumableSession> find(Bytes id, Instant now);
  // So that it isn't resumed any more, as RFC 5246 section 7.2.2 wants it of a connection that has
  // failed: the store isn't told of that.
  void forget(Bytes id);

  // For Connection::answer(): the session, the first of several, or none.
  [[nodiscard]] Answer answer(const SessionRequested& asked, Instant now);
  [[nodiscard]] Answer answer(const PskRequested& asked, Instant now);

  // Those that have expired and were not asked for count as well.
  [[nodiscard]] std::size_t size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::dtls
