#include "flight/outgoing_flight.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "wire/handshake_names.h"

namespace sluice::dtls::flight {
namespace {

using message::kHandshakeHeaderSize;

// A shorter fragment at the end of a datagram is not worth its headers.
constexpr std::size_t kMinimumFragment = 32;

// DTLS 1.3 has several messages in a record, which saves the cost of further records (RFC 9147
// section 5.5 leaves the choice). DTLS 1.2 has one message in each record.
constexpr bool packs(wire::Epoch epoch) { return epoch >= wire::kHandshakeEpoch13; }

}  // namespace

void OutgoingFlight::clear() {
  if (bytes_.capacity() > kUsualBytes) {
    *this = OutgoingFlight();  // also frees the memory
    return;
  }
  // The next flight uses the memory of a usual one.
  bytes_.clear();
  items_.clear();
  pieces_.clear();
  cut_ = 0;
  next_ = 0;
  sent_.clear();
  has_left_ = false;
  is_to_recut_ = false;
}

void OutgoingFlight::rewind() {
  if (is_to_recut_) join_pieces(0);
  is_to_recut_ = false;
  next_ = 0;
  skip_acknowledged();
}

void OutgoingFlight::recut() {
  is_to_recut_ = true;
  join_pieces(next_);
}

void OutgoingFlight::join_pieces(std::size_t first) {
  for (std::size_t i = first; i < pieces_.size(); ++i) {
    Piece& piece = pieces_[i];
    if (piece.is_acknowledged) continue;
    piece.is_cut = false;
    while (i + 1 < pieces_.size() && !pieces_[i + 1].is_acknowledged &&
           pieces_[i + 1].epoch == piece.epoch) {
      piece.range.end = pieces_[i + 1].range.end;
      pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }
}

void OutgoingFlight::add_change_cipher_spec() {
  reserve();
  const std::size_t start = bytes_.size();
  bytes_.push_back(std::byte{1});
  items_.push_back({.is_change_cipher_spec = true, .range = {start, start + 1}});
}

void OutgoingFlight::mark_written() {
  for (const Item& item : items_) {
    if (pieces_.empty() || pieces_.back().epoch != item.epoch) {
      pieces_.push_back({item.range, item.epoch});
    }
    pieces_.back().range.end = item.range.end;
  }
  cut_ = bytes_.size();
  next_ = pieces_.size();
  has_left_ = true;
}

bool OutgoingFlight::has_fragments() const {
  return std::ranges::any_of(pieces_, [&](const Piece& piece) {
    const auto item = item_at(piece.range.begin);
    return item->range.begin != piece.range.begin;
  });
}

// ---- acknowledgements

bool OutgoingFlight::acknowledge(std::span<const message::RecordNumber> numbers) {
  bool news = false;
  wire::Epoch newest = wire::kPlaintextEpoch;
  for (const Sent& sent : sent_) {
    if (std::ranges::find(numbers, sent.number) == numbers.end()) continue;
    newest = std::max(newest, sent.number.epoch);
    for (Piece& piece : pieces_) {
      if (piece.range.begin < sent.range.begin || piece.range.end > sent.range.end) continue;
      news = news || !piece.is_acknowledged;
      piece.is_acknowledged = true;
    }
  }
  acknowledge_before(newest);
  return news;
}

void OutgoingFlight::acknowledge_before(wire::Epoch epoch) {
  for (Piece& piece : pieces_) piece.is_acknowledged = piece.is_acknowledged || piece.epoch < epoch;
  skip_acknowledged();
}

void OutgoingFlight::forget_acknowledged() {
  for (Piece& piece : pieces_) piece.is_acknowledged = false;
}

bool OutgoingFlight::fully_acknowledged() const {
  return cut_ == bytes_.size() && std::ranges::all_of(pieces_, &Piece::is_acknowledged);
}

void OutgoingFlight::skip_acknowledged() {
  while (next_ < pieces_.size() && pieces_[next_].is_acknowledged) ++next_;
}

// ---- messages

std::vector<OutgoingFlight::Item>::const_iterator OutgoingFlight::item_at(
    std::size_t offset) const {
  return std::ranges::find_if(items_, [&](const Item& item) { return offset < item.range.end; });
}

void OutgoingFlight::reserve() {
  if (!items_.empty()) return;
  bytes_.reserve(kUsualBytes);
  items_.reserve(kUsualItems);
  pieces_.reserve(kUsualItems);
  sent_.reserve(kUsualItems);
}

std::size_t OutgoingFlight::begin_message() {
  reserve();
  const std::size_t start = bytes_.size();
  bytes_.resize(start + kHandshakeHeaderSize);
  return start;
}

Result<Bytes> OutgoingFlight::end_message(std::size_t start, bool fits, wire::HandshakeType type,
                                          wire::MessageSeq seq, wire::Epoch epoch) {
  const std::size_t length = bytes_.size() - start - kHandshakeHeaderSize;
  if (!fits || length > message::kMaxBody) {
    bytes_.resize(start);
    std::string detail(wire::name_of(type));
    detail.append(": does not fit its length fields");
    return tl::unexpected(
        Error{Errc::excessive_message, Alert::internal_error, 0, ErrorDetail(std::move(detail))});
  }
  const message::HandshakeHeader header{type, static_cast<std::uint32_t>(length), seq, 0,
                                        static_cast<std::uint32_t>(length)};
  header.encode(MutableBytes(bytes_).subspan(start));
  items_.push_back({false, type, seq, epoch, {start, bytes_.size()}});
  return Bytes(bytes_).subspan(start);
}

// ---- sending

OutgoingFlight::Written OutgoingFlight::write_datagram(record::RecordLayer& records,
                                                       MutableBytes out, std::size_t mtu) {
  const MutableBytes datagram = out.first(std::min(out.size(), mtu));
  Written written;
  while (has_more()) {
    const std::size_t size =
        write_record(records, datagram.subspan(written.bytes), datagram.size());
    if (size == 0) break;
    written.bytes += size;
    ++written.records;
  }
  has_left_ = has_left_ || !has_more();
  return written;
}

std::size_t OutgoingFlight::write_record(record::RecordLayer& records, MutableBytes room,
                                         std::size_t datagram) {
  const wire::Epoch epoch = next_epoch();
  const record::RecordSize size_of_record = records.size_of(epoch);
  const auto capacity_of = [&](std::size_t bytes) {
    return std::min(bytes - std::min(bytes, size_of_record.overhead()),
                    size_of_record.max_contents());
  };
  const std::size_t capacity = capacity_of(room.size());
  const std::size_t whole_capacity = capacity_of(datagram);
  Cut cut = cut_next_piece(capacity, whole_capacity);
  if (cut == Cut::none) return 0;

  // The contents are at the offset where the record is sealed in place.
  const MutableBytes contents = room.subspan(size_of_record.head(), capacity);
  const std::size_t first = next_;
  Range range = pieces_[first].range;
  const wire::ContentType type = item_at(range.begin)->is_change_cipher_spec
                                     ? wire::ContentType::change_cipher_spec
                                     : wire::ContentType::handshake;
  std::size_t size = 0;
  do {
    range.end = pieces_[next_].range.end;
    size += write_contents(pieces_[next_].range, contents.subspan(size));
    ++next_;
    const bool may_join = cut == Cut::now && packs(epoch) && has_more() && next_epoch() == epoch &&
                          (next_ == pieces_.size() || !pieces_[next_].is_cut);
    cut = may_join ? cut_next_piece(capacity - size, whole_capacity) : Cut::none;
  } while (cut == Cut::now);
  const auto sealed = records.seal(epoch, type, contents.first(size), room);
  if (!sealed) {
    next_ = first;
    return 0;
  }
  if (sent_.size() == kMaxSent) sent_.erase(sent_.begin());
  sent_.push_back({{epoch, records.last_sequence(epoch)}, range});
  skip_acknowledged();
  return *sealed;
}

wire::Epoch OutgoingFlight::next_epoch() const {
  return next_ < pieces_.size() ? pieces_[next_].epoch : item_at(cut_)->epoch;
}

OutgoingFlight::Cut OutgoingFlight::cut_next_piece(std::size_t capacity,
                                                   std::size_t whole_capacity) {
  const wire::Epoch epoch = next_epoch();
  const bool is_last = next_ == pieces_.size();
  if (is_last) pieces_.push_back({{cut_, bytes_.size()}, epoch});
  const Range range = pieces_[next_].range;
  const bool was_cut = pieces_[next_].is_cut;
  const bool is_kept = was_cut && end_of_piece(range, whole_capacity, 0) == range.end;
  // Encrypted messages use what room a datagram has left.
  const bool is_encrypted = epoch != wire::kPlaintextEpoch;
  const bool is_datagram_empty = capacity == whole_capacity;
  const std::size_t minimum = is_encrypted ? 1 : is_datagram_empty ? 0 : kMinimumFragment;
  const std::size_t end = end_of_piece(range, capacity, minimum);
  const bool fits = is_kept ? end == range.end : end != range.begin;
  if (is_last && !fits) pieces_.pop_back();
  if (!fits) return Cut::none;
  pieces_[next_].range.end = end;
  pieces_[next_].is_cut = true;
  if (is_last) {
    cut_ = end;
  } else if (end != range.end) {
    pieces_.insert(pieces_.begin() + static_cast<std::ptrdiff_t>(next_) + 1,
                   {{end, range.end}, epoch, false, was_cut});
  }
  return is_kept ? Cut::before : Cut::now;
}

std::size_t OutgoingFlight::end_of_piece(const Range& range, std::size_t capacity,
                                         std::size_t minimum) const {
  const auto first = item_at(range.begin);
  const std::size_t limit = std::min(range.end, range.begin + capacity);
  std::size_t end = range.begin;
  for (auto item = first; range.begin == first->range.begin && item != items_.end(); ++item) {
    if (item->range.end > limit || item->epoch != first->epoch) break;
    end = item->range.end;
    if (!packs(item->epoch)) break;
  }
  const bool is_whole = end != range.begin;
  if (is_whole || first->is_change_cipher_spec || capacity < kHandshakeHeaderSize) return end;
  const std::size_t begin = std::max(range.begin, first->range.begin + kHandshakeHeaderSize);
  const std::size_t left = std::min(range.end, first->range.end) - begin;
  const std::size_t size = std::min(left, capacity - kHandshakeHeaderSize);
  const bool is_too_short = size == 0 || (size < left && size < minimum);
  return is_too_short ? range.begin : begin + size;
}

std::size_t OutgoingFlight::write_contents(const Range& piece, MutableBytes out) const {
  const Item& item = *item_at(piece.begin);
  if (piece.begin == item.range.begin && piece.end >= item.range.end) {
    std::ranges::copy(Bytes(bytes_).subspan(piece.begin, piece.size()), out.begin());
    return piece.size();
  }
  const std::size_t body = item.range.begin + kHandshakeHeaderSize;
  const std::size_t begin = std::max(piece.begin, body);
  const std::size_t size = piece.end - begin;
  const message::HandshakeHeader header{
      item.type, static_cast<std::uint32_t>(item.range.end - body), item.seq,
      static_cast<std::uint32_t>(begin - body), static_cast<std::uint32_t>(size)};
  header.encode(out);
  std::ranges::copy(Bytes(bytes_).subspan(begin, size), out.begin() + kHandshakeHeaderSize);
  return kHandshakeHeaderSize + size;
}

}  // namespace sluice::dtls::flight
