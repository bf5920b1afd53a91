// Records that came before their keys (RFC 6347 section 4.1 lets a receiver keep them).
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/path.h>

namespace sluice::dtls::record {

// A record of an epoch that has no keys yet: the handshake messages that lead to them are late.
struct FutureRecord {
  Bytes bytes;  // header and contents, as they came
};

// Records that came on one path, one after another as in a datagram.
struct KeptRecords {
  PathId path;
  Buffer bytes;
};

// Keeps future records until their keys are there. A Finished that is kept saves the peer a
// retransmission of its whole flight.
class FutureRecords {
 public:
  // False: there is no room, and the record is dropped.
  bool keep(const FutureRecord& record, PathId path) {
    if (size_ + record.bytes.size() > kMaxBytes) return false;
    size_ += record.bytes.size();
    if (kept_.empty() || kept_.back().path != path) kept_.push_back({path, {}});
    Buffer& bytes = kept_.back().bytes;
    bytes.insert(bytes.end(), record.bytes.begin(), record.bytes.end());
    return true;
  }
  // All of them, in the order in which they came.
  std::vector<KeptRecords> take() {
    size_ = 0;
    return std::exchange(kept_, {});
  }

 private:
  // A Finished, and some data behind it.
  static constexpr std::size_t kMaxBytes = 4096;

  std::vector<KeptRecords> kept_;
  std::size_t size_ = 0;
};

}  // namespace sluice::dtls::record
