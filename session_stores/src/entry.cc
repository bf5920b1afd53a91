#include "entry.h"

namespace sluice::session_stores {
namespace {

constexpr std::byte kVersion{1};
constexpr std::size_t kExpirySize = 5;  // until the year 36,812
constexpr std::size_t kHeaderSize = 1 + kExpirySize + 1;

void append(Buffer& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

}  // namespace

Buffer encode(const Entry& entry) {
  Buffer bytes;
  bytes.push_back(kVersion);
  for (std::size_t i = kExpirySize; i-- > 0;) {
    bytes.push_back(static_cast<std::byte>(entry.expires >> 8 * i));
  }
  bytes.push_back(static_cast<std::byte>(entry.other_connection_ids.size()));
  for (const Buffer& id : entry.other_connection_ids) {
    bytes.push_back(static_cast<std::byte>(id.size()));
    append(bytes, id);
  }
  append(bytes, entry.session);
  return bytes;
}

std::optional<std::int64_t> expiry_of(Bytes bytes) {
  if (bytes.size() < kHeaderSize || bytes.front() != kVersion) return std::nullopt;
  std::int64_t expires = 0;
  for (const std::byte byte : bytes.subspan(1, kExpirySize)) {
    expires = expires << 8 | std::to_integer<std::int64_t>(byte);
  }
  return expires;
}

std::optional<Entry> decode(Bytes bytes) {
  const auto expires = expiry_of(bytes);
  if (!expires) return std::nullopt;
  Entry entry{*expires, {}, {}};
  auto count = std::to_integer<std::size_t>(bytes[1 + kExpirySize]);
  if (count >= kMaxConnectionIds) return std::nullopt;
  Bytes rest = bytes.subspan(kHeaderSize);
  for (; count > 0; --count) {
    const std::size_t size = rest.empty() ? 0 : std::to_integer<std::size_t>(rest.front());
    if (size == 0 || rest.size() < 1 + size) return std::nullopt;
    const Bytes id = rest.subspan(1, size);
    entry.other_connection_ids.emplace_back(id.begin(), id.end());
    rest = rest.subspan(1 + size);
  }
  if (rest.empty() || rest.size() > kMaxSession) return std::nullopt;
  entry.session.assign(rest.begin(), rest.end());
  return entry;
}

}  // namespace sluice::session_stores
