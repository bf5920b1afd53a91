// Which packets of a stream a viewer asks for again (RFC 4585 section 6.2.1).
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include <sluice/dtls/clock.h>
#include <sluice/rtp/numbers.h>
#include <sluice/rtp/rtcp.h>

namespace sluice::interop::load {

class LossRepair {
 public:
  // Packets that are missed at a time; older ones are given up.
  static constexpr std::size_t kMaxMissing = 64;
  static constexpr int kTries = 5;
  static constexpr std::chrono::milliseconds kInterval{50};

  void on_packet(rtp::SequenceNumber number, dtls::Instant now);
  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const;
  // What to ask for now.
  std::vector<rtp::NackEntry> handle_timeout(dtls::Instant now);

 private:
  struct Missing {
    rtp::SequenceNumber number{};
    dtls::Instant due{};
    int tries = 0;
  };

  std::optional<rtp::SequenceNumber> next_ = {};
  std::deque<Missing> missing_;  // in order
};

}  // namespace sluice::interop::load
