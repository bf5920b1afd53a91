#include "message/key_share.h"

#include "wire/distinct_codes.h"

namespace sluice::dtls::message {
namespace {

// The registry of RFC 8446 section 11 has fewer groups, and clients send two or three shares.
constexpr std::size_t kMaxShares = 64;

}  // namespace

std::optional<ClientShares> ClientShares::decode(Bytes data) {
  wire::Reader reader(data);
  const ClientShares shares(reader.vector16());
  if (!reader.complete()) return std::nullopt;
  wire::DistinctCodes<NamedGroup, kMaxShares> groups;
  wire::Reader entries(shares.list_);
  while (entries.more()) {
    const auto group = entries.code<NamedGroup>();
    if (entries.vector16().empty() || !groups.add(group)) return std::nullopt;
  }
  if (!entries.complete() || !groups.are_distinct()) return std::nullopt;
  return shares;
}

std::optional<Bytes> ClientShares::find(NamedGroup wanted) const {
  wire::Reader entries(list_);
  while (entries.more()) {
    const auto group = entries.code<NamedGroup>();
    const Bytes share = entries.vector16();
    if (group == wanted) return share;
  }
  return std::nullopt;
}

std::size_t ClientShares::count() const {
  std::size_t count = 0;
  for (wire::Reader entries(list_); entries.more(); ++count) {
    entries.code<NamedGroup>();
    entries.vector16();
  }
  return count;
}

}  // namespace sluice::dtls::message
