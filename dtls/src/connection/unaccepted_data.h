// Application data that came before the peer was accepted.
#pragma once

#include <vector>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::connection {

// With fingerprints both sides may finish the handshake while the SDP answer is still under way;
// what the peer sends then (SCTP's INIT above all) waits here instead of for its retransmission.
class UnacceptedData {
 public:
  explicit UnacceptedData(std::size_t limit) : limit_(limit) {}

  // False when that would be more than the limit.
  bool keep(Bytes data) {
    if (data.size() > limit_ - bytes_ || messages_.size() == kMaxMessages) return false;
    bytes_ += data.size();
    messages_.emplace_back(data.begin(), data.end());
    return true;
  }

  std::vector<Buffer> take() && { return std::move(messages_); }

 private:
  // So that empty records, which add no bytes, have a bound as well.
  static constexpr std::size_t kMaxMessages = 256;

  std::size_t limit_;
  std::size_t bytes_ = 0;
  std::vector<Buffer> messages_;
};

}  // namespace sluice::dtls::connection
