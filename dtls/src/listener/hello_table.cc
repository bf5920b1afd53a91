#include "listener/hello_table.h"

#include <algorithm>

namespace sluice::dtls::listener {

HelloTable::HelloTable(std::size_t entries, std::size_t max_length)
    : memory_(entries * max_length),
      present_(std::make_unique<bool[]>(memory_.size())),
      entries_(entries) {
  for (std::size_t i = 0; i < entries; ++i) {
    entries_[i].memory_ = MutableBytes(memory_).subspan(i * max_length, max_length);
    entries_[i].present_ = {present_.get() + i * max_length, max_length};
  }
}

HelloTable::Entry* HelloTable::open(Bytes address, const message::HandshakeHeader& header,
                                    std::size_t datagram_size, Instant now) {
  if (entries_.empty()) return nullptr;
  auto entry = std::ranges::find_if(
      entries_, [&](const Entry& candidate) { return candidate.is_of(address, header); });
  if (entry == entries_.end()) {
    entry = std::ranges::min_element(entries_, {}, &Entry::used_);
    if (entry->used_ != 0) ++evictions_;
    entry->begin(address, header, now);
  } else if (now - entry->begun_ > kLifetime) {
    entry->begin(address, header, now);
  }
  entry->used_ = ++uses_;
  entry->bytes_received_ += datagram_size;
  return &*entry;
}

std::size_t HelloTable::in_use() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(entries_, [](const Entry& entry) { return entry.used_ != 0; }));
}

bool HelloTable::Entry::is_of(Bytes address, const message::HandshakeHeader& header) const {
  return used_ != 0 && seq_ == header.message_seq && length_ == header.length &&
         std::ranges::equal(Bytes(address_).first(address_size_), address);
}

void HelloTable::Entry::begin(Bytes address, const message::HandshakeHeader& header, Instant now) {
  std::ranges::copy(address, address_.begin());
  address_size_ = address.size();
  seq_ = header.message_seq;
  length_ = header.length;
  bytes_received_ = 0;
  begun_ = now;
  forget_fragments();
}

void HelloTable::Entry::forget_fragments() {
  have_ = 0;
  std::ranges::fill(present_.first(length_), false);
}

void HelloTable::Entry::add(const message::HandshakeFragment& fragment) {
  const Bytes body = fragment.body;
  const auto present = present_.subspan(fragment.header.fragment_offset, body.size());
  const auto kept = memory_.subspan(fragment.header.fragment_offset, body.size());
  const auto differs = [&](std::size_t i) { return present[i] && kept[i] != body[i]; };
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (differs(i)) forget_fragments();
  }
  have_ += static_cast<std::size_t>(std::ranges::count(present, false));
  std::ranges::fill(present, true);
  std::ranges::copy(body, kept.begin());
}

}  // namespace sluice::dtls::listener
