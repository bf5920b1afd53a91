#include "support/handshake_watch.h"

#include <algorithm>
#include <stdexcept>

#include "message/handshake_fragment.h"
#include "record/header12.h"
#include "record/header13.h"

namespace sluice::test {

using dtls::Buffer;
using dtls::Bytes;
using dtls::message::HandshakeFragment;
using dtls::record::Header12;
using dtls::record::Header13;
using dtls::wire::ContentType;

namespace {

std::size_t size_of_first_record(Bytes datagram) {
  if (!Header13::is_unified(datagram.front())) {
    return dtls::record::kHeaderSize12 + Header12::decode(datagram).value().length;
  }
  const auto header = Header13::decode(datagram).value();
  return header.size + header.length;
}

// Whether these cover the body from 0 to `end`.
bool covers(std::vector<WatchedFragment> fragments, std::size_t begin, std::size_t end) {
  std::ranges::sort(fragments, {}, &WatchedFragment::begin);
  for (const auto& fragment : fragments) {
    if (fragment.begin <= begin) begin = std::max(begin, fragment.end);
  }
  return begin >= end;
}

}  // namespace

void HandshakeWatch::on_record(const dtls::ObservedRecord& record) {
  if (record.direction != dtls::Direction::sent) return;
  WatchedRecord& seen = pending_.emplace_back();
  seen.type = record.type;
  seen.number = {record.epoch, record.sequence_number};
  if (record.type == ContentType::ack) {
    seen.acknowledged = dtls::message::decode_ack(record.contents).value();
  }
  if (record.type != ContentType::handshake) return;
  dtls::wire::Reader reader(record.contents);
  while (reader.more()) {
    const auto [header, body, encoding] = HandshakeFragment::take(reader).value();
    seen.fragments.push_back({header.message_seq, header.fragment_offset,
                              header.fragment_offset + body.size(), header.length});
  }
}

void HandshakeWatch::on_datagram(const dtls::ObservedDatagram& datagram) {
  if (datagram.direction != dtls::Direction::sent) return;
  Bytes rest = datagram.bytes;
  for (WatchedRecord& record : pending_) {
    const Bytes bytes = rest.first(size_of_first_record(rest));
    record.bytes.assign(bytes.begin(), bytes.end());
    rest = rest.subspan(bytes.size());
  }
  if (!rest.empty()) throw std::logic_error("more records than were reported");
  sent_[Buffer(datagram.bytes.begin(), datagram.bytes.end())] = std::move(pending_);
  pending_.clear();
}

void HandshakeWatch::clear() {
  pending_.clear();
  sent_.clear();
}

const std::vector<WatchedRecord>& HandshakeWatch::records_in(Bytes datagram) const {
  return sent_.at(Buffer(datagram.begin(), datagram.end()));
}

void WatchedMessages::sent(const WatchedRecord& record) {
  if (record.type == ContentType::change_cipher_spec) was_change_cipher_spec_sent_ = true;
  for (const auto& fragment : record.fragments) {
    Message& message = messages_[fragment.seq];
    message.epoch = record.number.epoch;
    message.length = fragment.length;
  }
}

void WatchedMessages::arrived(const WatchedRecord& record) {
  if (record.type == ContentType::change_cipher_spec) has_change_cipher_spec_ = true;
  for (const auto& fragment : record.fragments) {
    auto& fragments = messages_.at(fragment.seq).fragments;
    if (std::ranges::find(fragments, fragment) == fragments.end()) fragments.push_back(fragment);
  }
}

bool WatchedMessages::has(const WatchedFragment& fragment) const {
  const auto& fragments = messages_.at(fragment.seq).fragments;
  return !fragments.empty() && covers(fragments, fragment.begin, fragment.end);
}

bool WatchedMessages::has_other_cut(const WatchedFragment& fragment) const {
  return std::ranges::any_of(messages_.at(fragment.seq).fragments, [&](const auto& other) {
    return other.overlaps(fragment) && other != fragment;
  });
}

bool WatchedMessages::has_whole(dtls::wire::MessageSeq seq) const {
  return is_complete(messages_.at(seq));
}

bool WatchedMessages::has_all_before(dtls::wire::Epoch epoch) const {
  if (epoch == dtls::wire::kFirstEncryptedEpoch12 && was_change_cipher_spec_sent_ &&
      !has_change_cipher_spec_) {
    return false;
  }
  const auto is_earlier = [&](const auto& entry) { return entry.second.epoch < epoch; };
  const auto known = static_cast<std::size_t>(std::ranges::count_if(messages_, is_earlier));
  if (epoch != dtls::wire::kPlaintextEpoch && known < plaintext_messages_) return false;
  return std::ranges::all_of(messages_, [&](const auto& entry) {
    return !is_earlier(entry) || is_complete(entry.second);
  });
}

bool WatchedMessages::has_all() const {
  return std::ranges::all_of(messages_,
                             [](const auto& entry) { return is_complete(entry.second); });
}

bool WatchedMessages::is_complete(const Message& message) {
  return !message.fragments.empty() && covers(message.fragments, 0, message.length);
}

}  // namespace sluice::test
