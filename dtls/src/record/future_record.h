// Records that arrive before their keys (RFC 6347 section 4.1 allows a receiver to store them).
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/path.h>

namespace sluice::dtls::record {

// A record of an epoch that has no keys yet, because the handshake messages that establish them are
// late.
struct FutureRecord {
  Bytes bytes;  // header and contents, as received
};

// Records that arrived on one path, concatenated as in a datagram.
struct KeptRecords {
  PathId path;
  Buffer bytes;
};

// Stores future records until their keys exist. A stored Finished saves the peer a retransmission
// of its whole flight.
class FutureRecords {
 public:
  // False if there is no room; the record is dropped then.
  bool keep(const FutureRecord& record, PathId path) {
    if (size_ + record.bytes.size() > kMaxBytes) return false;
    size_ += record.bytes.size();
    if (kept_.empty() || kept_.back().path != path) kept_.push_back({path, {}});
    Buffer& bytes = kept_.back().bytes;
    bytes.insert(bytes.end(), record.bytes.begin(), record.bytes.end());
    return true;
  }
  // Removes and returns all records in the order of arrival.
  std::vector<KeptRecords> take() {
    size_ = 0;
    return std::exchange(kept_, {});
  }

 private:
  // Room for a Finished and some data after it.
  static constexpr std::size_t kMaxBytes = 4096;

  std::vector<KeptRecords> kept_;
  std::size_t size_ = 0;
};

}  // namespace sluice::dtls::record
