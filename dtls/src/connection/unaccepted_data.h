// Application data that arrives before the peer is accepted.
#pragma once

#include <vector>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::connection {

// With fingerprints both sides may complete the handshake before the SDP answer arrives. What the
// peer sends then, mostly SCTP's INIT, is kept, as its retransmission would take seconds.
class UnacceptedData {
 public:
  explicit UnacceptedData(std::size_t limit) : limit_(limit) {}

  // False: the data would exceed the limit, and is dropped.
  bool keep(Bytes data) {
    if (data.size() > limit_ - bytes_ || messages_.size() == kMaxMessages) return false;
    bytes_ += data.size();
    messages_.emplace_back(data.begin(), data.end());
    return true;
  }

  std::vector<Buffer> take() && { return std::move(messages_); }

 private:
  // A bound for empty records too, which add no bytes.
  static constexpr std::size_t kMaxMessages = 256;

  std::size_t limit_;
  std::size_t bytes_ = 0;
  std::vector<Buffer> messages_;
};

}  // namespace sluice::dtls::connection
