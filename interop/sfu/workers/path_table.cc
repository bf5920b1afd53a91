#include "sfu/workers/path_table.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>
#include <variant>

#include "common/random_numbers.h"

namespace sluice::interop::sfu {
namespace {

constexpr std::size_t kAddressWords = 4;

// An IPv4 address is shorter than any of IPv6, and so differs in the last word.
std::array<std::uint32_t, kAddressWords + 1> words_of(const dtls::UdpEndpoint& endpoint) {
  std::array<std::uint32_t, kAddressWords + 1> words{};
  std::visit(
      [&](const auto& address) { std::memcpy(words.data(), address.data(), address.size()); },
      endpoint.address);
  const bool is_ipv6 = endpoint.address.index() == 1;
  words.back() = endpoint.port | (is_ipv6 ? 0x10000U : 0U);
  return words;
}

}  // namespace

PathTable::Hash::Hash() {
  for (std::uint64_t& each : key_) {
    each = std::uint64_t{common::random_u32()} << 32 | common::random_u32();
  }
}

std::size_t PathTable::Hash::operator()(const dtls::UdpPath& path) const {
  std::uint64_t sum = key_[0];
  std::size_t at = 1;
  for (const dtls::UdpEndpoint* endpoint : {&path.peer, &path.own}) {
    for (const std::uint32_t word : words_of(*endpoint)) sum += key_.at(at++) * word;
  }
  sum += key_.at(at) * static_cast<std::uint32_t>(path.socket);
  return sum >> 32;
}

PathTable::PathTable(std::size_t max_paths) : max_paths_(max_paths) {}

std::optional<std::size_t> PathTable::worker_of(const dtls::UdpPath& path) const {
  const auto found = entries_.find(path);
  return found == entries_.end() ? std::nullopt : std::optional(found->second.worker);
}

bool PathTable::is_certain(const dtls::UdpPath& path, std::size_t worker) const {
  const auto found = entries_.find(path);
  return found != entries_.end() && found->second.is_certain && found->second.worker == worker;
}

void PathTable::note_check(const dtls::UdpPath& path, std::size_t worker, dtls::Instant now) {
  expire(now);
  const auto found = entries_.find(path);
  if (found == entries_.end()) return add(path, worker, false, now);
  Entry& entry = found->second;
  if (entry.is_certain && entry.worker != worker) return;
  entry.worker = worker;
  entry.checked = now;
  Order& order = order_of(entry);
  order.splice(order.end(), order, entry.place);
}

bool PathTable::claim(const dtls::UdpPath& path, std::size_t worker, dtls::Instant now) {
  expire(now);
  const auto found = entries_.find(path);
  if (found != entries_.end()) {
    const Entry& entry = found->second;
    if (entry.is_certain && entry.worker == worker) return true;
    if (entry.is_certain && now - entry.checked < kHold) return false;
    erase(found);
  }
  add(path, worker, true, now);
  return true;
}

void PathTable::forget(const dtls::UdpPath& path, std::size_t worker) {
  const auto found = entries_.find(path);
  if (found != entries_.end() && found->second.worker == worker) erase(found);
}

void PathTable::add(const dtls::UdpPath& path, std::size_t worker, bool is_certain,
                    dtls::Instant now) {
  Order& order = is_certain ? certain_ : guesses_;
  if (order.size() >= (is_certain ? max_paths_ : kMaxGuesses)) erase(entries_.find(order.front()));
  order.push_back(path);
  entries_.emplace(path, Entry{.worker = worker,
                               .is_certain = is_certain,
                               .checked = now,
                               .place = std::prev(order.end())});
}

void PathTable::erase(Entries::iterator entry) {
  order_of(entry->second).erase(entry->second.place);
  entries_.erase(entry);
}

void PathTable::expire(dtls::Instant now) {
  for (Order* order : {&certain_, &guesses_}) {
    while (!order->empty()) {
      const auto first = entries_.find(order->front());
      if (now - first->second.checked <= kLifetime) break;
      erase(first);
    }
  }
}

}  // namespace sluice::interop::sfu
