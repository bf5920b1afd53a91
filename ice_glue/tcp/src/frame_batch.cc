#include "frame_batch.h"

#include <algorithm>

#include <sluice/tcp/framing.h>

namespace sluice::tcp {

FrameBatch::FrameBatch() : bytes_(kCapacity) { runs_.reserve(kMaxRuns); }

bool FrameBatch::add(ConnectionHandle connection, dtls::Bytes datagram) {
  const std::size_t size = kLengthSize + datagram.size();
  const bool joins = !runs_.empty() && runs_.back().connection == connection;
  if (size > bytes_.size() - used_ || (!joins && runs_.size() == kMaxRuns)) return false;
  const auto room = std::span(bytes_).subspan(used_, size);
  std::ranges::copy(frame_header(static_cast<std::uint16_t>(datagram.size())), room.begin());
  std::ranges::copy(datagram, room.begin() + kLengthSize);
  used_ += size;
  if (joins) {
    dtls::Bytes& frames = runs_.back().frames;
    frames = dtls::Bytes(frames.data(), frames.size() + size);
  } else {
    runs_.push_back({.connection = connection, .frames = room});
  }
  return true;
}

void FrameBatch::clear() {
  runs_.clear();
  used_ = 0;
}

std::size_t first_frame(dtls::Bytes frames) {
  return kLengthSize + (std::to_integer<std::size_t>(frames[0]) << 8) +
         std::to_integer<std::size_t>(frames[1]);
}

}  // namespace sluice::tcp
