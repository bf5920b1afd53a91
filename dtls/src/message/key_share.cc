#include "message/key_share.h"

namespace sluice::dtls::message {

std::optional<ClientShares> ClientShares::decode(Bytes data) {
  wire::Reader reader(data);
  const ClientShares shares(reader.vector16());
  if (!reader.complete()) return std::nullopt;
  wire::Reader entries(shares.list_);
  while (entries.more()) {
    const Bytes before = entries.rest();
    const auto group = entries.code<NamedGroup>();
    if (entries.vector16().empty()) return std::nullopt;
    // A search among the earlier shares is fast enough, because clients send two or three.
    const Bytes earlier = shares.list_.first(shares.list_.size() - before.size());
    if (ClientShares(earlier).find(group)) return std::nullopt;
  }
  if (!entries.complete()) return std::nullopt;
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
