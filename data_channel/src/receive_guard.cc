#include "receive_guard.h"

#include "chunks.h"

namespace sluice::data_channel {
namespace {

constexpr std::size_t kSackFields = 12;  // cumulative TSN, window, numbers of gaps and duplicates
// usrsctp says 1 for a window that is used up.
constexpr std::uint32_t kUsedUp = 1;

}  // namespace

void ReceiveGuard::on_sent(Bytes packet) {
  for_each_chunk(packet, [this](ChunkType type, Bytes value) {
    if (type != ChunkType::sack || value.size() < kSackFields) return;
    window_ = load_u32(value, 4);
    has_gaps_ = load_u16(value, 8) > 0;
    // Without a gap usrsctp itself keeps to the window.
    if (!has_gaps_ || window_ > kUsedUp) excess_ = 0;
  });
}

bool ReceiveGuard::admits(Bytes packet) {
  if (!has_gaps_) return true;
  std::size_t data = 0;
  for_each_chunk(packet, [&data](ChunkType type, Bytes value) {
    if (type == ChunkType::data) data += value.size();
  });
  if (data <= window_) return true;
  if (excess_ + data > limit_) return false;
  excess_ += data;
  return true;
}

}  // namespace sluice::data_channel
