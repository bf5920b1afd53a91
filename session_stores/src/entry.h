// A session as it is stored, and the form that it has in a database.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <sluice/session_stores/live_session_store.h>

namespace sluice::session_stores {

inline Buffer copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

struct Entry {
  std::int64_t expires = 0;                  // seconds since 1970
  std::vector<Buffer> other_connection_ids;  // without the first, which is the entry's key
  Buffer session;
};

// version 1 (1 byte), expires (5), number of other connection IDs (1), each with its length (1) in
// front, session. All numbers are big-endian.
Buffer encode(const Entry& entry);
// Empty when the bytes are no entry.
std::optional<Entry> decode(Bytes bytes);
// What encode() has written for Entry::expires; empty when the bytes are too short.
std::optional<std::int64_t> expiry_of(Bytes bytes);

}  // namespace sluice::session_stores
