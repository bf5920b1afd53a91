#include "table/own_ends.h"

#include "table/address_encoding.h"

namespace sluice::dtls::table {
namespace {

std::uint64_t hash_of(const crypto::KeyedHash& hash, SocketId socket, const UdpEndpoint& own) {
  return hash(encode(UdpPath{.socket = socket, .own = own}));
}

}  // namespace

StoredPath OwnEnds::store(const crypto::KeyedHash& hash, const UdpPath& path, PathId path_number) {
  const std::uint64_t value = hash_of(hash, path.socket, path.own);
  std::uint32_t number = index_.find(value, [&](std::uint32_t candidate) {
    const Entry& entry = entries_[candidate];
    return entry.socket == path.socket && entry.own == path.own;
  });
  if (number == kNoSlot) {
    if (free_.empty()) {
      number = static_cast<std::uint32_t>(entries_.size());
      entries_.emplace_back();
    } else {
      number = free_.back();
      free_.pop_back();
    }
    entries_[number] = {path.socket, path.own, 0};
    index_.insert(value, number);
  }
  ++entries_[number].uses;
  return {path.peer, StoredPath::OwnEnd{number}, path_number};
}

void OwnEnds::release(const crypto::KeyedHash& hash, const StoredPath& path) {
  const auto index = static_cast<std::uint32_t>(path.own_end);
  Entry& entry = entries_[index];
  if (--entry.uses != 0) return;
  index_.erase(hash_of(hash, entry.socket, entry.own), index);
  free_.push_back(index);
}

}  // namespace sluice::dtls::table
