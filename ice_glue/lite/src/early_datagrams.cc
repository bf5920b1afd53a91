#include "early_datagrams.h"

#include <algorithm>

namespace sluice::ice_lite {

bool may_be_client_hello(dtls::Bytes datagram) {
  constexpr std::size_t kRecordHeader = 13;
  constexpr auto kHandshake = std::byte{22};
  constexpr auto kMajorVersion = std::byte{0xfe};
  return datagram.size() > kRecordHeader && datagram[0] == kHandshake &&
         datagram[1] == kMajorVersion && datagram[3] == std::byte{} && datagram[4] == std::byte{};
}

EarlyDatagrams::Number EarlyDatagrams::find(std::uint64_t hash, const dtls::UdpPath& path) const {
  return index_.find(hash, [&](Number number) { return entries_[number].path == path; });
}

EarlyDatagrams::Kept EarlyDatagrams::keep(const dtls::crypto::KeyedHash& keyed, std::uint64_t hash,
                                          const dtls::UdpPath& path, dtls::Bytes datagram,
                                          dtls::Instant now, Gone& gone) {
  if (datagram.size() > kMaxEarlyDatagram) return Kept::large;
  expire(keyed, now, gone);
  Number number = find(hash, path);
  if (number == dtls::table::kNoSlot) {
    if (max_tuples_ == 0 || hosts_.of(keyed, path.peer) >= max_of_host_) return Kept::full;
    if (entries_.size() < max_tuples_ && next_ == entries_.size()) entries_.emplace_back();
    number = static_cast<Number>(next_);
    Entry& entry = entries_[number];
    if (entry.count != 0) {
      gone.displaced += entry.count;
      release(keyed, number);
      oldest_ = (next_ + 1) % entries_.size();
    } else if (index_.size() == 0) {
      oldest_ = next_;
    }
    entry.path = path;
    entry.hash = hash;
    entry.since = now;
    index_.insert(hash, number);
    hosts_.add(keyed, path.peer);
    next_ = (next_ + 1) % max_tuples_;
  }
  Entry& entry = entries_[number];
  if (entry.count == kMaxEarlyDatagrams) return Kept::full;
  entry.datagrams[entry.count++].assign(datagram.begin(), datagram.end());
  return Kept::yes;
}

std::span<dtls::Buffer> EarlyDatagrams::take(const dtls::crypto::KeyedHash& keyed,
                                             std::uint64_t hash, const dtls::UdpPath& path,
                                             dtls::Instant now) {
  const Number number = find(hash, path);
  if (number == dtls::table::kNoSlot) return {};
  Entry& entry = entries_[number];
  // One that has expired is counted by the next keep().
  if (dtls::saturating_difference(now, entry.since) >= kEarlyLifetime) return {};
  const auto taken = std::span(entry.datagrams).first(entry.count);
  release(keyed, number);
  return taken;
}

void EarlyDatagrams::release(const dtls::crypto::KeyedHash& keyed, Number number) {
  Entry& entry = entries_[number];
  index_.erase(entry.hash, number);
  hosts_.remove(keyed, entry.path.peer);
  entry.count = 0;
}

void EarlyDatagrams::expire(const dtls::crypto::KeyedHash& keyed, dtls::Instant now, Gone& gone) {
  while (index_.size() != 0) {
    const Entry& entry = entries_[oldest_];
    if (entry.count != 0) {
      if (dtls::saturating_difference(now, entry.since) < kEarlyLifetime) return;
      gone.expired += entry.count;
      release(keyed, static_cast<Number>(oldest_));
    }
    oldest_ = (oldest_ + 1) % entries_.size();
  }
}

}  // namespace sluice::ice_lite
