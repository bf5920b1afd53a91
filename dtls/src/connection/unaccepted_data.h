// Application data that arrives before the peer is accepted.
#pragma once

#include <vector>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::connection {

// With fingerprints, both sides may complete the handshake before the SDP answer arrives. Data that
// the peer sends meanwhile, mostly SCTP's INIT, is kept, because its retransmission would take
// seconds.
class UnacceptedData {
 public:
  explicit UnacceptedData(std::size_t limit) : limit_(limit) {}

  // False if the data exceeds the limit; it is dropped then.
  bool keep(Bytes data) {
    if (data.size() > limit_ - bytes_ || messages_.size() == kMaxMessages) return false;
    bytes_ += data.size();
    messages_.emplace_back(data.begin(), data.end());
    return true;
  }

  [[nodiscard]] bool empty() const { return messages_.empty(); }
  std::vector<Buffer> take() && { return std::move(messages_); }

 private:
  // Also limits empty records, which add no bytes.
  static constexpr std::size_t kMaxMessages = 256;

  std::size_t limit_;
  std::size_t bytes_ = 0;
  std::vector<Buffer> messages_;
};

}  // namespace sluice::dtls::connection
