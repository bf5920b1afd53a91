#include "dtls_in_stun.h"

#include <algorithm>

#include <sluice/stun/crc32.h>

#include "wire/reader.h"

namespace sluice::ice_lite {
namespace {

// Of each hash in an acknowledgement.
constexpr std::size_t kHashSize = 4;

}  // namespace

void DtlsInStun::on_received(dtls::Bytes datagram) {
  received_[received_next_] = stun::crc32(datagram);
  received_next_ = (received_next_ + 1) % kMaxHashes;
  received_count_ = std::min(received_count_ + 1, kMaxHashes);
}

bool DtlsInStun::on_check(const std::optional<dtls::Bytes>& datagram,
                          const std::optional<dtls::Bytes>& acknowledged) {
  if (!datagram && !acknowledged) return false;
  is_used_ = true;
  dtls::wire::Reader hashes(acknowledged.value_or(dtls::Bytes{}));
  // As many as libwebrtc sends.
  const std::size_t count = std::min(hashes.rest().size() / kHashSize, kMaxHashes);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t hash = hashes.u32();
    std::erase_if(pending_, [&](const Pending& each) { return each.hash == hash; });
  }
  return true;
}

void DtlsInStun::add(dtls::Bytes datagram, dtls::PathId path) {
  if (!is_flight_open_) pending_.clear();
  is_flight_open_ = true;
  if (pending_.size() == kMaxPending) pending_.erase(pending_.begin());
  pending_.push_back({.hash = stun::crc32(datagram),
                      .datagram = {datagram.begin(), datagram.end()},
                      .path = path});
}

const DtlsInStun::Pending* DtlsInStun::next() {
  for (std::size_t tried = 0; tried < pending_.size(); ++tried) {
    next_ = next_ < pending_.size() ? next_ : 0;
    Pending& each = pending_[next_++];
    if (each.carried == kMaxCarried) continue;
    ++each.carried;
    return &each;
  }
  return nullptr;
}

DtlsInStun::Pending* DtlsInStun::first_unsent() {
  const auto found = std::ranges::find(pending_, true, &Pending::is_unsent);
  return found != pending_.end() ? &*found : nullptr;
}

}  // namespace sluice::ice_lite
