// The connection IDs of one connection (RFC 9146 section 3, RFC 9147 section 4).
#pragma once

#include <algorithm>
#include <memory>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::record {

// Most connections have none, and an idle connection keeps its own: so all are in one allocation.
class ConnectionIds {
 public:
  // Whether set() was called, also with two empty IDs.
  [[nodiscard]] bool are_set() const { return bytes_ != nullptr; }
  // Of the peer's encrypted records; empty: they have none.
  [[nodiscard]] Bytes own() const {
    return are_set() ? Bytes(bytes_.get() + kIdsAt, size_at(kOwnSize)) : Bytes{};
  }
  // Of this side's encrypted records; empty: they have none.
  [[nodiscard]] Bytes peers() const {
    return are_set() ? Bytes(bytes_.get() + kIdsAt + size_at(kOwnSize), size_at(kPeersSize)) : Bytes{};
  }

  // Each of at most kMaxConnectionId bytes.
  void set(Bytes own, Bytes peers) {
    auto bytes = std::make_unique<std::byte[]>(kIdsAt + own.size() + peers.size());
    bytes[kOwnSize] = static_cast<std::byte>(own.size());
    bytes[kPeersSize] = static_cast<std::byte>(peers.size());
    std::ranges::copy(peers, std::ranges::copy(own, bytes.get() + kIdsAt).out);
    bytes_ = std::move(bytes);
  }
  void clear() { bytes_.reset(); }

  void begin_datagram() {
    if (are_set()) bytes_[kSeen] = std::byte{0};
  }
  // Whether a DTLS 1.3 record with this ID, or without one, is for this connection. RFC 9147
  // section 4 requires the ID in each datagram, not in each record: later records may come without
  // it.
  [[nodiscard]] bool take(Bytes id_in_record) {
    if (id_in_record.empty()) return own().empty() || bytes_[kSeen] != std::byte{0};
    if (!std::ranges::equal(id_in_record, own())) return false;
    bytes_[kSeen] = std::byte{1};
    return true;
  }

 private:
  // What bytes_ begins with: the sizes, and whether a record of the present datagram had the ID.
  enum Place : std::uint8_t { kOwnSize, kPeersSize, kSeen, kIdsAt };

  [[nodiscard]] std::size_t size_at(Place place) const {
    return std::to_integer<std::size_t>(bytes_[place]);
  }

  std::unique_ptr<std::byte[]> bytes_;  // null: not set
};

}  // namespace sluice::dtls::record
