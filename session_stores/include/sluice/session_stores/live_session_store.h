// Where live sessions sleep while no process holds them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>

#include <sluice/dtls/bytes.h>

namespace sluice::session_stores {

using dtls::Buffer;
using dtls::Bytes;

// The longest connection ID (RFC 9146 section 3), in bytes.
inline constexpr std::size_t kMaxConnectionId = 255;
// The most connection IDs of one session.
inline constexpr std::size_t kMaxConnectionIds = 32;
// The largest session, in bytes: room for one with its peer's certificate chain.
inline constexpr std::size_t kMaxSession = 65536;

// Chosen by the caller, returned with the completion.
enum class RequestToken : std::uint64_t {};

struct SessionToStore {
  // Those by which the peer may send: the session is found by each of them. 1 to kMaxConnectionIds,
  // each of 1 to kMaxConnectionId bytes.
  std::span<const Bytes> connection_ids;
  // 1 to kMaxSession bytes. The store does not read them: whoever may read the store reads them, so
  // seal them before.
  Bytes session;
  // At least 1 second, at most 3650 days. After that the session is not found, and its room is used
  // again.
  std::chrono::seconds lifetime;
};

enum class StoreError : std::uint8_t {
  invalid_argument,  // outside of the ranges above
  overloaded,        // StoreOptions::max_pending
  full,              // no room for another session
  unavailable,       // the store cannot be used, or not reached; nothing was done
  // The connection to the store broke after the request was sent. Treat the session as lost: after
  // a put() as well as after a take(), another server may have it.
  outcome_unknown,
};

std::string_view to_string(StoreError error);

struct PutDone {};
struct TakeDone {
  Buffer session;  // empty: there is none
};
struct EraseDone {
  bool found;
};
struct CountDone {
  std::uint64_t sessions;  // with those that have expired and are not removed yet
};
struct Failed {
  StoreError error;
};

using Outcome = std::variant<PutDone, TakeDone, EraseDone, CountDone, Failed>;

// Exactly one follows each request that was accepted.
struct Completion {
  RequestToken token;
  Outcome outcome;
};

struct StoreOptions {
  // The requests whose completions have not been polled; further ones are refused. At least 1.
  std::size_t max_pending = 4096;
  // Seconds since 1970, by which sessions expire. Called by any thread of the store. Null: the
  // system's clock. All processes that share a store have to agree to a few seconds.
  std::int64_t (*clock)() = nullptr;
};

struct Request;  // internal

// No call but wait() blocks: an input starts a request, poll() gives its outcome. One thread at a
// time uses a store.
//
// A session has one owner at any time. take() removes a session before it gives it out, so that of
// several servers that ask, one at most gets it. A store never gives out a session that it may have
// given out before: where it cannot know that, because its last changes may be lost, it forgets all
// sessions, and their peers make a full handshake.
class LiveSessionStore {
 public:
  LiveSessionStore() = default;
  LiveSessionStore(const LiveSessionStore&) = delete;
  LiveSessionStore& operator=(const LiveSessionStore&) = delete;
  // Carries out the requests that were accepted; their outcomes are lost, wait() for them before.
  virtual ~LiveSessionStore() = default;

  // ---- inputs, which copy what they are given. Errors, where no completion follows:
  // invalid_argument, overloaded

  using Accepted = tl::expected<void, StoreError>;

  // Replaces a session that has the same first connection ID.
  Accepted put(RequestToken token, const SessionToStore& session);
  // Removes the session that has this connection ID, and gives it out.
  Accepted take(RequestToken token, Bytes connection_id);
  Accepted erase(RequestToken token, Bytes connection_id);
  // For statistics: with Redis this reads the names of all keys.
  Accepted count(RequestToken token);

  // ---- outputs

  // The next outcome; requests may complete in another order than that of their inputs.
  virtual std::optional<Completion> poll() = 0;
  // A file descriptor for poll() or epoll of the system: readable while poll() has an outcome.
  // Belongs to the store; do not read from it.
  [[nodiscard]] virtual int wait_handle() const = 0;
  // Waits until poll() has an outcome; false where none comes within `limit`, or no request is
  // under way.
  virtual bool wait(std::chrono::milliseconds limit) = 0;
  // The requests whose completions have not been polled.
  [[nodiscard]] virtual std::size_t pending() const = 0;

 protected:
  // The request is in range. Errors: overloaded.
  virtual Accepted submit(Request request) = 0;
};

}  // namespace sluice::session_stores
