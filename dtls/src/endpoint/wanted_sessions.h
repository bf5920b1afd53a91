// The questions for sessions that sleep elsewhere, and the datagrams that wait for the answers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include <sluice/dtls/sleeping_session.h>

namespace sluice::dtls::endpoint {

struct WaitingDatagram {
  Buffer bytes;
  UdpPath path;
};

// Within the bounds of WakingOptions. A question takes O(log n), because others choose the IDs.
class WantedSessions {
 public:
  struct Question {
    ConnectionId id;
    Instant deadline;
    std::vector<WaitingDatagram> datagrams;  // the first is the one that has led to it
  };
  enum class Added : std::uint8_t { asked, waits, dropped };
  struct Expired {
    std::size_t questions = 0;
    std::size_t datagrams = 0;
  };

  explicit WantedSessions(const WakingOptions& options) : options_(options) {}

  // `id`: that of the datagram, which no connection has.
  Added add(Bytes id, Bytes datagram, const UdpPath& path, Instant now);
  // Ends the questions whose time has passed.
  Expired expire(Instant now);
  // When expire() is due.
  [[nodiscard]] std::optional<Instant> deadline() const;

  // Whether there is a question that poll() has not given.
  [[nodiscard]] bool has_news() const { return open_.upper_bound(last_told_) != open_.end(); }
  std::optional<SessionWanted> poll();

  // Null: the question has ended.
  [[nodiscard]] const Question* find(WantedSession number) const;
  // Ends a question; returns how many datagrams are dropped. deny() also drops those that are still
  // to come for this ID.
  std::size_t drop(WantedSession number);
  std::size_t deny(WantedSession number);
  // The session is here: ends the question for it, if there is one, and hands its datagrams out.
  void release(Bytes id);
  [[nodiscard]] bool has_released() const { return !released_.empty(); }
  std::optional<WaitingDatagram> take_released();

  [[nodiscard]] std::size_t questions() const { return open_.size(); }
  [[nodiscard]] std::size_t denied() const { return denied_.size(); }
  // Of all datagrams that wait or are to be taken.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Denied {
    ConnectionId id;
    Instant deadline;
  };
  struct Before {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name
    bool operator()(Bytes one, Bytes other) const {
      return std::ranges::lexicographical_compare(one, other);
    }
  };
  // What counts for WakingOptions::max_bytes: small ones are not free either.
  static std::size_t cost(Bytes datagram) { return datagram.size() + sizeof(WaitingDatagram); }

  // Removes it from all tables.
  Question end(std::map<WantedSession, Question>::iterator at);
  std::size_t forget(const std::vector<WaitingDatagram>& datagrams);
  void pardon(std::map<WantedSession, Denied>::iterator at);

  WakingOptions options_;
  // By number, which is by deadline, too.
  std::map<WantedSession, Question> open_;
  std::map<WantedSession, Denied> denied_;
  std::map<Buffer, WantedSession, Before> by_id_;  // both
  std::deque<WaitingDatagram> released_;
  std::size_t bytes_ = 0;
  std::uint64_t last_number_ = 0;
  WantedSession last_told_{};
};

}  // namespace sluice::dtls::endpoint
