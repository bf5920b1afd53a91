// What waits for one connection to take it.
#pragma once

#include <cstddef>
#include <vector>

#include <sluice/dtls/bytes.h>

namespace sluice::tcp {

// Frames, the first of which may have begun to leave. Its memory goes when it is empty.
class SendQueue {
 public:
  [[nodiscard]] bool empty() const { return datagrams_ == 0; }
  // Bytes.
  [[nodiscard]] std::size_t size() const { return bytes_.size() - head_; }
  [[nodiscard]] std::size_t datagrams() const { return datagrams_; }
  [[nodiscard]] dtls::Bytes bytes() const { return dtls::Bytes(bytes_).subspan(head_); }

  // A frame, or into an empty queue what is left of one.
  void push(dtls::Bytes frame);
  // So many bytes have left. Returns how many frames these have completed.
  std::size_t pop(std::size_t count);

 private:
  std::vector<std::byte> bytes_;
  std::size_t head_ = 0;   // the first of them that has not left
  std::size_t first_ = 0;  // bytes that are left of the first frame
  std::size_t datagrams_ = 0;
};

}  // namespace sluice::tcp
