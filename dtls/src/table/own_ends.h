// This side's ends of many paths.
#pragma once

#include <cstdint>
#include <vector>

#include <sluice/dtls/path.h>

#include "crypto/keyed_hash.h"
#include "table/slot_index.h"

namespace sluice::dtls::table {

// A path as it is stored: the own end by its number, which OwnEnds gives.
struct StoredPath {
  enum class OwnEnd : std::uint32_t {};

  UdpEndpoint peer;
  OwnEnd own_end{};
  PathId number{};  // that the connection knows it by
};

// A socket and an address of this host: a million paths have few of them, so a slot keeps a number
// in place of 24 bytes. The memory stays as large as it has ever been.
class OwnEnds {
 public:
  // The path's end has one use more then.
  StoredPath store(const crypto::KeyedHash& hash, const UdpPath& path, PathId path_number = {});
  // The path's end has one use less. Without a use, its number may become another end's.
  void release(const crypto::KeyedHash& hash, const StoredPath& path);

  [[nodiscard]] UdpPath path(const StoredPath& stored) const {
    const Entry& end = entries_[static_cast<std::uint32_t>(stored.own_end)];
    return {.socket = end.socket, .peer = stored.peer, .own = end.own};
  }
  // The ends in use.
  [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
  struct Entry {
    SocketId socket{};
    UdpEndpoint own;
    std::uint32_t uses = 0;
  };

  SlotIndex index_;  // into entries_
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
};

}  // namespace sluice::dtls::table
