#include "record/connection_ids.h"

#include <utility>

namespace sluice::dtls::record {

Bytes ConnectionIds::stored_own() const {
  return number(at_own_count) != 0 ? own_at(number(at_in_use)) : Bytes{};
}

Bytes ConnectionIds::stored_peers() const {
  if (number(at_peers_count) == 0) return {};
  const std::byte* at = bytes() + at_ids + number(at_own_count) * number(at_own_size);
  return {at + 1, std::to_integer<std::size_t>(*at)};
}

void ConnectionIds::set(Bytes own, Bytes peers) {
  store(own.empty() ? List{} : List{own}, 0, peers.empty() ? List{} : List{peers});
}

std::size_t ConnectionIds::find_own(Bytes id) const {
  std::size_t index = 0;
  while (index < number(at_own_count) && !std::ranges::equal(own_at(index), id)) ++index;
  return index;
}

bool ConnectionIds::take_stored(Bytes id_in_record) {
  if (id_in_record.empty()) return own().empty() || bytes()[at_seen] != std::byte{0};
  if (!is_own(id_in_record)) return false;
  bytes()[at_seen] = std::byte{1};
  return true;
}

void ConnectionIds::use_own(Bytes id) {
  const std::size_t in_use = number(at_in_use);
  if (std::ranges::equal(own_at(in_use), id)) return;
  const std::size_t found = find_own(id);
  const auto at = [&](std::size_t index) { return bytes() + at_ids + index * number(at_own_size); };
  if (found < in_use) {
    std::rotate(at(found), at(found + 1), at(in_use + 1));
    return;
  }
  std::rotate(at(in_use + 1), at(found), at(found + 1));
  bytes()[at_in_use] = static_cast<std::byte>(in_use + 1);
}

// ---- further own IDs

std::vector<ConnectionId> ConnectionIds::all_own() const {
  std::vector<ConnectionId> all;
  for (const Bytes id : own_list()) all.emplace_back(id);
  return all;
}

std::size_t ConnectionIds::unused_own() const {
  return number(at_own_count) == 0 ? 0 : number(at_own_count) - number(at_in_use) - 1;
}

std::vector<ConnectionId> ConnectionIds::add_own(std::span<const ConnectionId> ids, bool replace) {
  List own = own_list();
  std::size_t in_use = number(at_in_use);
  if (replace) {
    // As if it had used them before all others.
    const auto first_unused = own.begin() + static_cast<std::ptrdiff_t>(in_use) + 1;
    in_use += unused_own();
    std::rotate(own.begin(), first_unused, own.end());
  }
  for (const ConnectionId& id : ids) own.push_back(id.bytes());
  const std::size_t ending = std::min(in_use, own.size() - std::min(own.size(), kMaxOwn));
  std::vector<ConnectionId> ended;
  for (const Bytes id : std::span(own).first(ending)) ended.emplace_back(id);
  own.erase(own.begin(), own.begin() + static_cast<std::ptrdiff_t>(ending));
  store(own, in_use - ending, peers_list());
  return ended;
}

// ---- further IDs of the peer

std::size_t ConnectionIds::spares() const {
  return number(at_peers_count) == 0 ? 0 : number(at_peers_count) - 1;
}

void ConnectionIds::add_spares(std::span<const Bytes> ids) {
  List peers = peers_list();
  const std::size_t room = kMaxSpares + 1 - peers.size();
  for (const Bytes id : ids.first(std::min(ids.size(), room))) peers.push_back(id);
  store(own_list(), number(at_in_use), peers);
}

void ConnectionIds::replace_peers(std::span<const Bytes> ids) {
  const auto taken = ids.first(std::min(ids.size(), kMaxSpares + 1));
  store(own_list(), number(at_in_use), List(taken.begin(), taken.end()));
}

void ConnectionIds::use_spare() {
  List peers = peers_list();
  peers.erase(peers.begin());
  store(own_list(), number(at_in_use), peers);
}

// ---- storage

ConnectionIds::List ConnectionIds::own_list() const {
  List own;
  for (std::size_t i = 0; i < number(at_own_count); ++i) own.push_back(own_at(i));
  return own;
}

ConnectionIds::List ConnectionIds::peers_list() const {
  List peers;
  if (!are_set()) return peers;
  const std::byte* at = bytes() + at_ids + number(at_own_count) * number(at_own_size);
  for (std::size_t i = 0; i < number(at_peers_count); ++i) {
    peers.emplace_back(at + 1, std::to_integer<std::size_t>(*at));
    at += 1 + peers.back().size();
  }
  return peers;
}

void ConnectionIds::store(const List& own, std::size_t in_use, const List& peers) {
  const std::size_t own_size = own.empty() ? 0 : own.front().size();
  std::size_t size = at_ids + own.size() * own_size;
  for (const Bytes id : peers) size += 1 + id.size();
  Storage storage = Near{};
  if (size > std::tuple_size_v<Near>) storage = std::make_unique<std::byte[]>(size);
  std::byte* bytes = bytes_of(storage);
  bytes[at_own_size] = static_cast<std::byte>(own_size);
  bytes[at_own_count] = static_cast<std::byte>(own.size());
  bytes[at_in_use] = static_cast<std::byte>(in_use);
  bytes[at_peers_count] = static_cast<std::byte>(peers.size());
  bytes[at_seen] = static_cast<std::byte>(number(at_seen));
  std::byte* at = bytes + at_ids;
  for (const Bytes id : own) at = std::ranges::copy(id, at).out;
  for (const Bytes id : peers) {
    *at = static_cast<std::byte>(id.size());
    at = std::ranges::copy(id, at + 1).out;
  }
  // The lists may have pointed into the former bytes.
  storage_ = std::move(storage);
}

}  // namespace sluice::dtls::record
