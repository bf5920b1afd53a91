// Answers that their connections cannot send before a snapshot is stored.
#pragma once

#include <sluice/dtls/endpoint.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>

namespace sluice::interop::tools {

class WaitingAnswers {
 public:
  // Of one connection and of all together, in bytes. What is above is dropped: the peer repeats
  // what matters to it.
  static constexpr std::size_t kMaxOfOne = std::size_t{1} << 16;
  static constexpr std::size_t kMaxOfAll = std::size_t{1} << 24;

  void add(dtls::ConnectionHandle connection, dtls::Bytes answer);
  [[nodiscard]] bool has(dtls::ConnectionHandle connection) const {
    return waiting_.contains(connection);
  }
  // Sends the answers of each connection in their order, up to the first for which `send` returns
  // false.
  using Send = std::function<bool(dtls::ConnectionHandle connection, dtls::Bytes answer)>;
  void send(const Send& send);
  // The connection has ended.
  void forget(dtls::ConnectionHandle connection);

  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Answers {
    std::deque<dtls::Buffer> in_order;
    std::size_t bytes = 0;
  };
  void pop(Answers& answers);

  std::unordered_map<dtls::ConnectionHandle, Answers> waiting_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace sluice::interop::tools
