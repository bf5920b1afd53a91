#include "support/strict_peer.h"

#include <algorithm>

namespace sluice::test {

using dtls::Buffer;
using dtls::wire::ContentType;

namespace {

void append(Buffer& datagram, const Buffer& record) {
  datagram.insert(datagram.end(), record.begin(), record.end());
}

std::vector<Buffer> unless_empty(Buffer datagram) {
  std::vector<Buffer> delivered;
  if (!datagram.empty()) delivered.push_back(std::move(datagram));
  return delivered;
}

}  // namespace

std::vector<Buffer> StrictPeer::operator()(dtls::Role sender, const Buffer& datagram) {
  return sender == role_ ? from_peer(datagram) : to_peer(datagram);
}

std::vector<Buffer> StrictPeer::to_peer(const Buffer& datagram) {
  Buffer delivered;
  for (const WatchedRecord& record : watch_->records_in(datagram)) {
    messages_.sent(record);
    if (!messages_.has_all_before(record.number.epoch)) continue;
    if (!takes(record)) {
      ++refused_;
      continue;
    }
    messages_.arrived(record);
    append(delivered, record.bytes);
  }
  return unless_empty(std::move(delivered));
}

bool StrictPeer::takes(const WatchedRecord& record) {
  const auto& fragments = record.fragments;
  const bool all_whole = std::ranges::all_of(fragments, &WatchedFragment::is_whole);
  if (fragments.size() > 1 && !all_whole) return false;
  bool is_behind_stale = false;
  for (const auto& fragment : fragments) {
    const bool is_stale = messages_.has(fragment);
    if (is_behind_stale && !is_stale) return false;
    if (is_spoilt(fragment)) return false;
    is_behind_stale = is_behind_stale || is_stale;
  }
  return true;
}

bool StrictPeer::is_spoilt(const WatchedFragment& fragment) {
  if (messages_.has_whole(fragment.seq)) return false;
  if (messages_.has_other_cut(fragment)) spoilt_.insert(fragment.seq);
  return spoilt_.contains(fragment.seq);
}

std::vector<Buffer> StrictPeer::from_peer(const Buffer& datagram) {
  Buffer delivered = std::exchange(late_acks_, {});
  for (const WatchedRecord& record : watch_->records_in(datagram)) {
    append(record.type == ContentType::ack ? late_acks_ : delivered, record.bytes);
  }
  return unless_empty(std::move(delivered));
}

}  // namespace sluice::test
