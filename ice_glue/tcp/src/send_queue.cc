#include "send_queue.h"

#include "frame_batch.h"

namespace sluice::tcp {

void SendQueue::push(dtls::Bytes frame) {
  if (empty()) first_ = frame.size();
  if (bytes_.size() + frame.size() > bytes_.capacity()) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  bytes_.insert(bytes_.end(), frame.begin(), frame.end());
  ++datagrams_;
}

std::size_t SendQueue::pop(std::size_t count) {
  std::size_t completed = 0;
  while (datagrams_ > 0 && count >= first_) {
    count -= first_;
    head_ += first_;
    ++completed;
    if (--datagrams_ > 0) first_ = first_frame(bytes());
  }
  if (datagrams_ == 0) {
    *this = {};
  } else {
    head_ += count;
    first_ -= count;
  }
  return completed;
}

}  // namespace sluice::tcp
