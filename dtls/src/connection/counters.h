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

// Much smaller than Statistics, because there may be a million idle connections: what few of them
// have counted is allocated when it is counted first.
class Counters {
 public:
  void count_received(std::size_t bytes) {
    add(datagrams_received, 1);
    add(bytes_received, bytes);
  }
  void count_sent(std::size_t bytes) {
    add(datagrams_sent, 1);
    add(bytes_sent, bytes);
  }
  void count_record_received() { add(records_received, 1); }
  void count_records_sent(std::size_t records) { add(records_sent, records); }
  void count_retransmission() { ++rest().flights_retransmitted; }
  void count_timeout() { ++rest().timeouts; }
  void count_path_challenge() { ++rest().path_challenges; }
  void count_path_validated() { ++rest().paths_validated; }
  void count_path_refused() { ++rest().paths_refused; }
  void count(Discard reason) { ++rest().discarded[static_cast<std::size_t>(reason)]; }

  void set_rtt(Duration rtt) { rtt_ = stored(rtt); }
  [[nodiscard]] std::optional<Duration> rtt() const {
    return rtt_ != kNoTime ? std::optional(Duration(rtt_)) : std::nullopt;
  }
  void set_handshake_duration(Duration duration) { handshake_duration_ = stored(duration); }

  [[nodiscard]] Statistics statistics() const {
    Statistics all{get(datagrams_received), get(datagrams_sent),   get(bytes_received),
                   get(bytes_sent),         get(records_received), get(records_sent)};
    if (rest_ != nullptr) {
      all.flights_retransmitted = rest_->flights_retransmitted;
      all.timeouts = rest_->timeouts;
      all.path_challenges = rest_->path_challenges;
      all.paths_validated = rest_->paths_validated;
      all.paths_refused = rest_->paths_refused;
      all.discarded = rest_->discarded;
    }
    all.rtt = rtt();
    if (handshake_duration_ != kNoTime) all.handshake_duration = Duration(handshake_duration_);
    return all;
  }

 private:
  static constexpr std::uint32_t kNoTime = UINT32_MAX;
  static constexpr std::size_t kTotals = 6;
  enum Total : std::uint8_t {
    datagrams_received,
    datagrams_sent,
    bytes_received,
    bytes_sent,
    records_received,
    records_sent,
  };
  using Halves = std::array<std::uint32_t, kTotals>;

  struct Rest {
    Halves upper = {};  // of the totals, from 2^32 on
    std::uint32_t flights_retransmitted = 0;
    std::uint32_t timeouts = 0;
    std::array<std::uint32_t, kDiscardReasons> discarded = {};
    std::uint32_t path_challenges = 0;
    std::uint32_t paths_validated = 0;
    std::uint32_t paths_refused = 0;
  };

  static std::uint32_t stored(Duration time) {
    return static_cast<std::uint32_t>(
        std::clamp<Duration::rep>(time.count(), 0, std::int64_t{kNoTime} - 1));
  }
  void add(Total total, std::uint64_t amount) {
    const std::uint64_t sum = lower_[total] + amount;
    lower_[total] = static_cast<std::uint32_t>(sum);
    if (sum > UINT32_MAX) rest().upper[total] += static_cast<std::uint32_t>(sum >> 32);
  }
  [[nodiscard]] std::uint64_t get(Total total) const {
    const std::uint64_t upper = rest_ != nullptr ? rest_->upper[total] : 0;
    return upper << 32 | lower_[total];
  }
  Rest& rest() {
    if (rest_ == nullptr) rest_ = std::make_unique<Rest>();
    return *rest_;
  }

  Halves lower_ = {};
  std::uint32_t rtt_ = kNoTime;  // microseconds, as is the next
  std::uint32_t handshake_duration_ = kNoTime;
  std::unique_ptr<Rest> rest_;  // null: all of it is zero
};

}  // namespace sluice::dtls::connection
