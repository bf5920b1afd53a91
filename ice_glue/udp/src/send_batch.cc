#include <sluice/udp/send_batch.h>

#include <algorithm>
#include <cassert>

namespace sluice::udp {

SendBatch::SendBatch(std::size_t capacity) : bytes_(std::max(capacity, kMaxRunSize)) {
  runs_.reserve(kMaxRuns);
}

dtls::MutableBytes SendBatch::room(std::size_t size) {
  // Whether the datagram will join the last run is not known yet.
  const bool is_full = runs_.size() == kMaxRuns || bytes_.size() - used_ < size;
  return is_full ? dtls::MutableBytes{} : dtls::MutableBytes(bytes_).subspan(used_);
}

bool SendBatch::joins_last_run(std::size_t size, const dtls::UdpPath& path) const {
  if (runs_.empty()) return false;
  const SendRun& last = runs_.back();
  const bool is_closed = last.bytes.size() != last.datagrams * last.segment_size;
  return !is_closed && last.datagrams < kMaxSegments && size != 0 && size <= last.segment_size &&
         last.bytes.size() + size <= kMaxRunSize && last.path == path;
}

void SendBatch::commit(std::size_t size, const dtls::UdpPath& path) {
  assert(size <= bytes_.size() - used_ && runs_.size() < kMaxRuns);
  if (joins_last_run(size, path)) {
    SendRun& run = runs_.back();
    run.bytes = dtls::Bytes(run.bytes.data(), run.bytes.size() + size);
    ++run.datagrams;
  } else {
    runs_.push_back({.path = path,
                     .bytes = dtls::Bytes(bytes_).subspan(used_, size),
                     .segment_size = size,
                     .datagrams = 1});
  }
  used_ += size;
  ++datagrams_;
}

void SendBatch::clear() {
  runs_.clear();
  used_ = 0;
  datagrams_ = 0;
}

}  // namespace sluice::udp
