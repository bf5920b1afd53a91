#include "listener/hello_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "wire/writer.h"

namespace sluice::dtls::listener {

HelloTable::HelloTable(std::size_t entries, std::size_t max_length, crypto::KeyedHash hash)
    : memory_(entries * max_length),
      entries_(entries),
      buckets_(std::bit_ceil(entries), kNone),
      hash_(std::move(hash)) {
  for (std::size_t i = 0; i < entries; ++i) {
    entries_[i].memory_ = MutableBytes(memory_).subspan(i * max_length, max_length);
    link_newest(entries_[i]);
  }
}

HelloTable::Entry* HelloTable::open(Bytes address, const message::HandshakeHeader& header,
                                    std::size_t datagram_size, Instant now) {
  if (entries_.empty()) return nullptr;
  const std::uint64_t hash = hash_of(address, header);
  std::uint32_t at = bucket_of(hash);
  while (at != kNone && !entries_[at].is_of(hash, address, header)) {
    at = entries_[at].next_in_bucket_;
  }
  const bool is_new = at == kNone;
  Entry& entry = entries_[is_new ? oldest_ : at];
  if (is_new) {
    if (entry.is_used_) {
      ++evictions_;
      release(entry);
    }
    entry.begin(hash, address, header, now);
    entry.next_in_bucket_ = std::exchange(bucket_of(hash), number_of(entry));
    ++in_use_;
  } else if (now - entry.begun_ > kLifetime) {
    entry.begin(hash, address, header, now);
  }
  unlink(entry);
  link_newest(entry);
  entry.bytes_received_ += datagram_size;
  return &entry;
}

void HelloTable::release(Entry& entry) {
  leave_bucket(entry);
  entry.is_used_ = false;
  --in_use_;
  unlink(entry);
  link_oldest(entry);
}

std::size_t HelloTable::longest_search() const {
  std::size_t longest = 0;
  for (std::uint32_t at : buckets_) {
    std::size_t length = 0;
    for (; at != kNone; at = entries_[at].next_in_bucket_) ++length;
    longest = std::max(longest, length);
  }
  return longest;
}

std::uint64_t HelloTable::hash_of(Bytes address, const message::HandshakeHeader& header) const {
  std::array<std::byte, kMaxAddress + 6> key{};
  const auto end = std::ranges::copy(address, key.begin()).out;
  const auto size = static_cast<std::size_t>(end - key.begin());
  wire::store(MutableBytes(key).subspan(size, 2), wire::value_of(header.message_seq));
  wire::store(MutableBytes(key).subspan(size + 2, 4), header.length);
  return hash_(Bytes(key).first(size + 6));
}

void HelloTable::leave_bucket(Entry& entry) {
  const std::uint32_t number = number_of(entry);
  std::uint32_t* at = &bucket_of(entry.hash_);
  while (*at != number) at = &entries_[*at].next_in_bucket_;
  *at = entry.next_in_bucket_;
}

void HelloTable::unlink(Entry& entry) {
  (entry.older_ == kNone ? oldest_ : entries_[entry.older_].newer_) = entry.newer_;
  (entry.newer_ == kNone ? newest_ : entries_[entry.newer_].older_) = entry.older_;
}

void HelloTable::link_newest(Entry& entry) {
  entry.older_ = std::exchange(newest_, number_of(entry));
  entry.newer_ = kNone;
  (entry.older_ == kNone ? oldest_ : entries_[entry.older_].newer_) = newest_;
}

void HelloTable::link_oldest(Entry& entry) {
  entry.newer_ = std::exchange(oldest_, number_of(entry));
  entry.older_ = kNone;
  (entry.newer_ == kNone ? newest_ : entries_[entry.newer_].older_) = oldest_;
}

bool HelloTable::Entry::is_of(std::uint64_t hash, Bytes address,
                              const message::HandshakeHeader& header) const {
  return hash_ == hash && seq_ == header.message_seq && length_ == header.length &&
         std::ranges::equal(Bytes(address_).first(address_size_), address);
}

void HelloTable::Entry::begin(std::uint64_t hash, Bytes address,
                              const message::HandshakeHeader& header, Instant now) {
  std::ranges::copy(address, address_.begin());
  address_size_ = address.size();
  hash_ = hash;
  seq_ = header.message_seq;
  length_ = header.length;
  bytes_received_ = 0;
  begun_ = now;
  is_used_ = true;
  forget_fragments();
}

void HelloTable::Entry::forget_fragments() {
  have_ = 0;
  count_ = 0;
}

void HelloTable::Entry::add(const message::HandshakeFragment& fragment) {
  const std::uint32_t begin = fragment.header.fragment_offset;
  const auto end = static_cast<std::uint32_t>(begin + fragment.body.size());
  if (contradicts(begin, fragment.body)) forget_fragments();
  if (add_part({begin, end})) {
    std::ranges::copy(fragment.body, memory_.begin() + static_cast<std::ptrdiff_t>(begin));
  }
}

bool HelloTable::Entry::contradicts(std::uint32_t begin, Bytes body) const {
  const auto end = static_cast<std::uint32_t>(begin + body.size());
  return std::ranges::any_of(parts(), [&](const Part& part) {
    const std::uint32_t from = std::max(begin, part.begin);
    const std::uint32_t to = std::min(end, part.end);
    return from < to && !std::ranges::equal(body.subspan(from - begin, to - from),
                                            Bytes(memory_).subspan(from, to - from));
  });
}

bool HelloTable::Entry::add_part(Part added) {
  // The parts that `added` overlaps or touches become one part with it.
  const auto all = std::span(parts_).first(count_);
  const auto first =
      std::ranges::find_if(all, [&](const Part& part) { return part.end >= added.begin; });
  const auto last =
      std::find_if(first, all.end(), [&](const Part& part) { return part.begin > added.end; });
  if (first == last) {
    if (count_ == kMaxParts) return false;
    const auto at = first - all.begin();
    std::copy_backward(parts_.begin() + at, parts_.begin() + static_cast<std::ptrdiff_t>(count_),
                       parts_.begin() + static_cast<std::ptrdiff_t>(count_) + 1);
    parts_[static_cast<std::size_t>(at)] = added;
    ++count_;
    have_ += added.end - added.begin;
    return true;
  }
  const Part joined{std::min(added.begin, first->begin), std::max(added.end, (last - 1)->end)};
  for (auto part = first; part != last; ++part) have_ -= part->end - part->begin;
  have_ += joined.end - joined.begin;
  *first = joined;
  if (last != first + 1) std::copy(last, all.end(), first + 1);
  count_ -= static_cast<std::size_t>(last - first) - 1;
  return true;
}

}  // namespace sluice::dtls::listener
