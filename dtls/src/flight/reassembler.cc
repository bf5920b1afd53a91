#include "flight/reassembler.h"

#include <algorithm>
#include <utility>

namespace sluice::dtls::flight {

using message::HandshakeFragment;
using message::HandshakeHeader;
using message::kHandshakeHeaderSize;

std::size_t Reassembler::Partial::contiguous() const {
  return encoding.size() - kHandshakeHeaderSize;
}

Reassembler::Partial Reassembler::begin(const HandshakeHeader& header, wire::Epoch epoch) {
  Partial partial{header.type, epoch, header.length, {}, {}, 0};
  // Most messages have one fragment, so no memory is reserved for data that has not arrived.
  if (header.fragment_offset == 0) {
    partial.encoding.reserve(kHandshakeHeaderSize + header.fragment_length);
  }
  partial.encoding.resize(kHandshakeHeaderSize);
  HandshakeHeader whole = header;
  whole.fragment_offset = 0;
  whole.fragment_length = header.length;
  whole.encode(partial.encoding);
  return partial;
}

Result<void> Reassembler::check(const Partial& partial, const HandshakeHeader& header,
                                wire::Epoch epoch) {
  if (partial.type != header.type || partial.length != header.length) {
    return tl::unexpected(Error{Errc::illegal_parameter, Alert::illegal_parameter, 0,
                                "fragments of one message differ in type or length"});
  }
  if (partial.epoch != epoch) {
    return tl::unexpected(Error{Errc::unexpected_message, Alert::unexpected_message, 0,
                                "a message spans a change of keys"});
  }
  return {};
}

Result<Reassembler::Outcome> Reassembler::add(const HandshakeFragment& fragment,
                                              wire::Epoch epoch) {
  const HandshakeHeader& header = fragment.header;
  const wire::MessageSeq seq = header.message_seq;
  keep();
  if (used_up_ || seq < next_seq_) return Outcome::stale;
  if (wire::value_of(seq) - wire::value_of(next_seq_) > static_cast<int>(kMaxAhead))
    return Outcome::full;
  if (header.length > limits_.max_message) {
    if (epoch == wire::kPlaintextEpoch) return Outcome::full;
    return tl::unexpected(Error{Errc::excessive_message, Alert::illegal_parameter});
  }
  // An empty fragment is ignored; it must not create an entry.
  if (fragment.body.empty() && header.length != 0) return Outcome::kept;

  Outcome outcome = Outcome::kept;
  if (const auto known = partial_.find(seq); known != partial_.end()) {
    auto compared = compare(known, header, epoch);
    if (!compared || *compared == Outcome::plaintext) return compared;
    outcome = *compared;
    if (outcome == Outcome::kept) {
      if (!has_room(seq, known->second, addition(known->second, fragment))) return Outcome::full;
      store(known->second, fragment);
      return outcome;
    }
  }
  Partial begun = begin(header, epoch);
  if (!has_room(seq, begun, addition(begun, fragment))) return Outcome::full;
  store(partial_.emplace(seq, std::move(begun)).first->second, fragment);
  return outcome;
}

Result<Reassembler::Outcome> Reassembler::borrow(const HandshakeFragment& fragment,
                                                 wire::Epoch epoch) {
  const HandshakeHeader& header = fragment.header;
  const bool is_next = header.message_seq == next_seq_ && !used_up_;
  if (!is_next || !fragment.is_whole() || !empty() || header.length > limits_.max_message) {
    return add(fragment, epoch);
  }
  borrowed_ = Borrowed{fragment, epoch};
  return Outcome::kept;
}

void Reassembler::keep() {
  if (!borrowed_) return;
  const auto [fragment, epoch] = *borrowed_;
  borrowed_.reset();
  // borrow() has checked it.
  static_cast<void>(add(fragment, epoch));
}

Result<Reassembler::Outcome> Reassembler::compare(
    std::map<wire::MessageSeq, Partial>::iterator known, const HandshakeHeader& header,
    wire::Epoch epoch) {
  const auto consistent = check(known->second, header, epoch);
  if (consistent) return Outcome::kept;
  if (known->second.epoch == wire::kPlaintextEpoch) {
    partial_.erase(known);
    return Outcome::replaced;
  }
  if (epoch == wire::kPlaintextEpoch) return Outcome::plaintext;
  return forward_error(consistent);
}

template <class Use>
void Reassembler::for_each_missing(const Partial& partial, std::size_t begin, std::size_t end,
                                   Use&& use) {
  std::size_t at = std::max(begin, partial.contiguous());
  auto piece = partial.ahead.upper_bound(static_cast<std::uint32_t>(at));
  if (piece != partial.ahead.begin()) {
    const auto& [offset, bytes] = *std::prev(piece);
    at = std::max(at, offset + bytes.size());
  }
  for (; at < end && piece != partial.ahead.end(); ++piece) {
    if (piece->first > at) use(at, std::min<std::size_t>(end, piece->first));
    at = piece->first + piece->second.size();
  }
  if (at < end) use(at, end);
}

Reassembler::Addition Reassembler::addition(const Partial& partial,
                                            const HandshakeFragment& fragment) {
  const std::size_t offset = fragment.header.fragment_offset;
  const bool is_ahead = offset > partial.contiguous();
  Addition addition;
  for_each_missing(partial, offset, offset + fragment.body.size(),
                   [&](std::size_t begin, std::size_t end) {
                     addition.bytes += end - begin;
                     if (is_ahead) ++addition.pieces;
                   });
  return addition;
}

bool Reassembler::has_room(wire::MessageSeq seq, const Partial& partial,
                           const Addition& addition) const {
  constexpr std::size_t kOverhead = kHandshakeHeaderSize + kPieceCost;
  const std::size_t longest = limits_.max_message + kOverhead;
  const std::size_t limit = std::max(limits_.max_bytes, longest + kMinimumGaps * kPieceCost);
  // The bytes of later messages stay while an earlier one arrives.
  std::size_t later = 0;
  for (const auto& [number, stored] : partial_) {
    if (number > seq) later += stored.bytes();
  }
  const std::size_t pieces = addition.pieces * kPieceCost;
  if (partial.bytes_when_whole() + pieces + later > limit) return false;
  later += partial.bytes() + addition.bytes + pieces;
  for (unsigned number = wire::value_of(seq); number-- > wire::value_of(next_seq_);) {
    const auto stored = partial_.find(wire::MessageSeq{static_cast<std::uint16_t>(number)});
    const bool is_known = stored != partial_.end();
    if ((is_known ? stored->second.bytes_when_whole() : longest) + later > limit) return false;
    if (is_known) later += stored->second.bytes();
  }
  return true;
}

void Reassembler::store(Partial& partial, const HandshakeFragment& fragment) {
  const std::uint32_t offset = fragment.header.fragment_offset;
  const Bytes body = fragment.body;
  if (offset > partial.contiguous()) {
    for_each_missing(partial, offset, offset + body.size(),
                     [&](std::size_t begin, std::size_t end) {
                       const Bytes piece = body.subspan(begin - offset, end - begin);
                       partial.ahead.emplace(static_cast<std::uint32_t>(begin),
                                             Buffer(piece.begin(), piece.end()));
                       partial.ahead_bytes += piece.size();
                     });
    return;
  }
  const auto append = [&](std::uint32_t at, Bytes piece) {
    const std::size_t overlap = partial.contiguous() - at;
    if (overlap >= piece.size()) return;
    partial.encoding.insert(partial.encoding.end(),
                            piece.begin() + static_cast<std::ptrdiff_t>(overlap), piece.end());
  };
  append(offset, body);
  while (!partial.ahead.empty() && partial.ahead.begin()->first <= partial.contiguous()) {
    const auto piece = partial.ahead.begin();
    append(piece->first, piece->second);
    partial.ahead_bytes -= piece->second.size();
    partial.ahead.erase(piece);
  }
}

void Reassembler::forget(wire::Epoch epoch) {
  if (borrowed_ && borrowed_->epoch == epoch) borrowed_.reset();
  std::erase_if(partial_, [&](const auto& entry) { return entry.second.epoch == epoch; });
}

bool Reassembler::has_gap() const {
  return std::ranges::any_of(partial_, [&](const auto& entry) {
    return entry.first != next_seq_ || !entry.second.ahead.empty();
  });
}

bool Reassembler::holds(wire::Epoch epoch) const {
  return (borrowed_ && borrowed_->epoch == epoch) ||
         std::ranges::any_of(partial_,
                             [&](const auto& entry) { return entry.second.epoch == epoch; });
}

std::optional<IncomingMessage> Reassembler::front() const {
  if (borrowed_) {
    const HandshakeFragment& whole = borrowed_->fragment;
    return IncomingMessage{whole.header.type, next_seq_, borrowed_->epoch, whole.encoding};
  }
  const auto due = partial_.find(next_seq_);
  if (due == partial_.end() || !due->second.whole()) return std::nullopt;
  return IncomingMessage{due->second.type, due->first, due->second.epoch, due->second.encoding};
}

void Reassembler::pop() {
  if (borrowed_) {
    borrowed_.reset();
  } else {
    partial_.erase(next_seq_);
  }
  next_seq_ = wire::next(next_seq_);
  used_up_ = next_seq_ == wire::MessageSeq{0};
}

}  // namespace sluice::dtls::flight
