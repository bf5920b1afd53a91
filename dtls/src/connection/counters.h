// The counters behind a connection's statistics.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <sluice/dtls/statistics.h>

namespace sluice::dtls::connection {

// Half the size of Statistics, because there may be a million idle connections.
struct Counters {
  std::uint64_t datagrams_received = 0;
  std::uint64_t datagrams_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t records_received = 0;
  std::uint64_t records_sent = 0;
  std::uint32_t flights_retransmitted = 0;
  std::uint32_t timeouts = 0;

  void count(Discard reason) {
    if (discarded_ == nullptr) discarded_ = std::make_unique<Discarded>();
    ++(*discarded_)[static_cast<std::size_t>(reason)];
  }
  void count_received(std::size_t bytes) {
    ++datagrams_received;
    bytes_received += bytes;
  }
  void count_sent(std::size_t bytes) {
    ++datagrams_sent;
    bytes_sent += bytes;
  }
  void set_rtt(Duration rtt) { rtt_ = stored(rtt); }
  void set_handshake_duration(Duration duration) { handshake_duration_ = stored(duration); }

  [[nodiscard]] Statistics statistics() const {
    Statistics all{datagrams_received, datagrams_sent, bytes_received,        bytes_sent,
                   records_received,   records_sent,   flights_retransmitted, timeouts};
    if (discarded_ != nullptr) all.discarded = *discarded_;
    if (rtt_ != kNoTime) all.rtt = Duration(rtt_);
    if (handshake_duration_ != kNoTime) all.handshake_duration = Duration(handshake_duration_);
    return all;
  }

 private:
  using Discarded = std::array<std::uint32_t, kDiscardReasons>;
  static constexpr std::uint32_t kNoTime = UINT32_MAX;

  static std::uint32_t stored(Duration time) {
    return static_cast<std::uint32_t>(
        std::clamp<Duration::rep>(time.count(), 0, std::int64_t{kNoTime} - 1));
  }

  std::uint32_t rtt_ = kNoTime;  // microseconds, as is the next
  std::uint32_t handshake_duration_ = kNoTime;
  std::unique_ptr<Discarded> discarded_;  // null: nothing was discarded
};

}  // namespace sluice::dtls::connection
