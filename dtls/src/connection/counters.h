// The counters behind a connection's statistics.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include <sluice/dtls/statistics.h>

namespace sluice::dtls::connection {

// Half the size of Statistics, because there may be a million idle connections.
struct Counters {
  std::uint64_t datagrams_received = 0;
  std::uint64_t records_received = 0;
  std::uint64_t records_sent = 0;
  std::uint32_t flights_retransmitted = 0;
  std::uint32_t timeouts = 0;

  void count(Discard reason) {
    if (discarded_ == nullptr) discarded_ = std::make_unique<Discarded>();
    ++(*discarded_)[static_cast<std::size_t>(reason)];
  }
  void set_rtt(Duration rtt) {
    rtt_ = static_cast<std::uint32_t>(
        std::clamp<Duration::rep>(rtt.count(), 0, std::int64_t{kNoRtt} - 1));
  }

  [[nodiscard]] Statistics statistics() const {
    Statistics all{datagrams_received, records_received, records_sent, flights_retransmitted,
                   timeouts};
    if (discarded_ != nullptr) all.discarded = *discarded_;
    if (rtt_ != kNoRtt) all.rtt = Duration(rtt_);
    return all;
  }

 private:
  using Discarded = std::array<std::uint32_t, kDiscardReasons>;
  static constexpr std::uint32_t kNoRtt = UINT32_MAX;

  std::uint32_t rtt_ = kNoRtt;            // microseconds
  std::unique_ptr<Discarded> discarded_;  // null: nothing was discarded
};

}  // namespace sluice::dtls::connection
