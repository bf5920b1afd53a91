#include "flight/outgoing_flight.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace sluice::dtls::flight {
namespace {

using message::kHandshakeHeaderSize;

// A shorter fragment at the end of a datagram is not worth its headers.
constexpr std::size_t kMinimumFragment = 32;

// Error::detail for a message that does not fit its length fields.
std::string_view does_not_fit(wire::HandshakeType type) {
  switch (type) {
    case wire::HandshakeType::client_hello:
      return "ClientHello: does not fit its length fields";
    case wire::HandshakeType::server_hello:
      return "ServerHello: does not fit its length fields";
    case wire::HandshakeType::new_session_ticket:
      return "NewSessionTicket: does not fit its length fields";
    case wire::HandshakeType::encrypted_extensions:
      return "EncryptedExtensions: does not fit its length fields";
    case wire::HandshakeType::certificate:
      return "Certificate: does not fit its length fields";
    case wire::HandshakeType::server_key_exchange:
      return "ServerKeyExchange: does not fit its length fields";
    case wire::HandshakeType::certificate_request:
      return "CertificateRequest: does not fit its length fields";
    case wire::HandshakeType::certificate_verify:
      return "CertificateVerify: does not fit its length fields";
    case wire::HandshakeType::client_key_exchange:
      return "ClientKeyExchange: does not fit its length fields";
    default:
      return "handshake message: does not fit its length fields";
  }
}

}  // namespace

void OutgoingFlight::clear() {
  *this = OutgoingFlight();  // also frees the memory
}

void OutgoingFlight::add_range(std::vector<Range>& ranges, Range range) {
  ranges.push_back(range);
  std::ranges::sort(ranges);
  // Adjacent and overlapping ranges are merged.
  std::vector<Range> merged;
  for (const Range& next : ranges) {
    if (!merged.empty() && next.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, next.end);
    } else {
      merged.push_back(next);
    }
  }
  ranges = std::move(merged);
}

bool OutgoingFlight::acknowledge(std::span<const message::RecordNumber> numbers) {
  bool news = false;
  for (const Sent& sent : sent_) {
    if (std::ranges::find(numbers, sent.number) == numbers.end()) continue;
    auto& ranges = items_[sent.item].acknowledged;
    const auto before = ranges;
    add_range(ranges, sent.range);
    news = news || ranges != before;
  }
  if (news) skip_acknowledged();
  return news;
}

void OutgoingFlight::forget_acknowledged() {
  for (Item& item : items_) item.acknowledged.clear();
}

bool OutgoingFlight::fully_acknowledged() const {
  return std::ranges::all_of(items_, [](const Item& item) {
    return item.acknowledged == std::vector<Range>{{0, item.length}};
  });
}

void OutgoingFlight::skip_acknowledged() {
  while (has_more()) {
    const Item& item = items_[position_.item];
    const auto covering = std::ranges::find_if(item.acknowledged, [&](const Range& range) {
      return range.begin <= position_.offset &&
             position_.offset < std::max(range.end, range.begin + 1);
    });
    if (covering == item.acknowledged.end()) return;
    position_ = covering->end >= item.length ? Position{position_.item + 1, 0}
                                             : Position{position_.item, covering->end};
  }
}

std::size_t OutgoingFlight::begin_message() {
  const std::size_t start = bytes_.size();
  bytes_.resize(start + kHandshakeHeaderSize);
  return start;
}

Result<Bytes> OutgoingFlight::end_message(std::size_t start, bool fits, wire::HandshakeType type,
                                          wire::MessageSeq seq, wire::Epoch epoch) {
  const std::size_t length = bytes_.size() - start - kHandshakeHeaderSize;
  if (!fits || length > message::kMaxBody) {
    bytes_.resize(start);
    return tl::unexpected(
        Error{Errc::excessive_message, Alert::internal_error, 0, does_not_fit(type)});
  }
  const message::HandshakeHeader header{type, static_cast<std::uint32_t>(length), seq, 0,
                                        static_cast<std::uint32_t>(length)};
  header.encode(MutableBytes(bytes_).subspan(start));
  items_.push_back({false, type, seq, epoch, start, length});
  return Bytes(bytes_).subspan(start);
}

OutgoingFlight::Written OutgoingFlight::write_datagram(record::RecordLayer& records,
                                                       MutableBytes out, std::size_t mtu) {
  const MutableBytes datagram = out.first(std::min(out.size(), mtu));
  Written written;
  while (has_more()) {
    const std::size_t size =
        write_record(records, datagram.subspan(written.bytes), written.bytes == 0);
    if (size == 0) break;
    written.bytes += size;
    ++written.records;
  }
  has_left_ = has_left_ || !has_more();
  return written;
}

std::size_t OutgoingFlight::write_record(record::RecordLayer& records, MutableBytes room,
                                         bool datagram_is_empty) {
  const Item& item = items_[position_.item];
  if (!item.is_change_cipher_spec) return write_fragments(records, room, datagram_is_empty);
  static constexpr std::array kChangeCipherSpec{std::byte{1}};
  const auto size = records.seal(wire::kPlaintextEpoch, wire::ContentType::change_cipher_spec,
                                 kChangeCipherSpec, room);
  if (size) position_ = {position_.item + 1, 0};
  return size.value_or(0);
}

std::size_t OutgoingFlight::write_fragments(record::RecordLayer& records, MutableBytes room,
                                            bool datagram_is_empty) {
  const wire::Epoch epoch = items_[position_.item].epoch;
  const record::RecordSize size_of_record = records.size_of(epoch);
  if (room.size() < size_of_record.overhead()) return 0;
  // The contents are at the offset where the record is sealed in place.
  const MutableBytes contents = room.subspan(
      size_of_record.head(),
      std::min(room.size() - size_of_record.overhead(), size_of_record.max_contents()));
  // DTLS 1.3 has several messages in a record, which saves the cost of further records (RFC 9147
  // section 5.5 leaves the choice). DTLS 1.2 has one message in each record.
  const bool packs = epoch >= wire::kHandshakeEpoch13;
  // An encrypted message of DTLS 1.2, Finished, is short and uses what room a datagram has left.
  const bool is_encrypted = epoch != wire::kPlaintextEpoch;
  const std::size_t minimum = is_encrypted ? 1 : datagram_is_empty ? 0 : kMinimumFragment;
  const Position begin = position_;
  const std::size_t sent_before = sent_.size();
  std::size_t size = 0;
  do {
    const std::size_t written = write_fragment(contents.subspan(size), minimum);
    if (written == 0) break;
    size += written;
  } while (packs && has_more() && items_[position_.item].epoch == epoch);
  if (size == 0) return 0;
  const auto sealed = records.seal(epoch, wire::ContentType::handshake, contents.first(size), room);
  if (!sealed) {
    position_ = begin;
    sent_.resize(sent_before);
    return 0;
  }
  for (Sent& piece : std::span(sent_).subspan(sent_before)) {
    piece.number = {epoch, records.last_sequence(epoch)};
  }
  if (sent_.size() > kMaxSent) {
    sent_.erase(sent_.begin(), sent_.end() - static_cast<std::ptrdiff_t>(kMaxSent));
  }
  return *sealed;
}

std::size_t OutgoingFlight::write_fragment(MutableBytes room, std::size_t minimum) {
  const Item& item = items_[position_.item];
  // The fragment ends at the next acknowledged range or at the end of the message.
  std::size_t end = item.length;
  for (const Range& range : item.acknowledged) {
    if (range.begin > position_.offset) end = std::min(end, range.begin);
  }
  const std::size_t left = end - position_.offset;
  if (room.size() < kHandshakeHeaderSize) return 0;
  const std::size_t size = std::min(left, room.size() - kHandshakeHeaderSize);
  if (size < left && size < minimum) return 0;

  const message::HandshakeHeader header{item.type, static_cast<std::uint32_t>(item.length),
                                        item.seq, static_cast<std::uint32_t>(position_.offset),
                                        static_cast<std::uint32_t>(size)};
  header.encode(room);
  const Bytes body =
      Bytes(bytes_).subspan(item.start + kHandshakeHeaderSize + position_.offset, size);
  std::ranges::copy(body, room.begin() + kHandshakeHeaderSize);
  sent_.push_back({{}, position_.item, {position_.offset, position_.offset + size}});
  position_ = position_.offset + size == item.length
                  ? Position{position_.item + 1, 0}
                  : Position{position_.item, position_.offset + size};
  skip_acknowledged();
  return kHandshakeHeaderSize + size;
}

}  // namespace sluice::dtls::flight
