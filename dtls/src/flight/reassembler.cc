#include "flight/reassembler.h"

#include <algorithm>

namespace sluice::dtls::flight {

using message::HandshakeFragment;
using message::HandshakeHeader;
using message::kHandshakeHeaderSize;

std::size_t Reassembler::Partial::contiguous() const {
  return encoding.size() - kHandshakeHeaderSize;
}

Reassembler::Partial Reassembler::begin(const HandshakeHeader& header, wire::Epoch epoch) {
  Partial partial{header.type, epoch, header.length, {}, {}};
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
  if (used_up_ || seq < next_seq_) return Outcome::stale;
  if (wire::value_of(seq) - wire::value_of(next_seq_) > static_cast<int>(kMaxAhead))
    return Outcome::full;
  if (header.length > limits_.max_message) {
    if (epoch == wire::kPlaintextEpoch) return Outcome::full;
    return tl::unexpected(Error{Errc::excessive_message, Alert::illegal_parameter});
  }
  // An empty fragment is ignored; it must not create an entry.
  if (fragment.body.empty() && header.length != 0) return Outcome::kept;

  std::size_t have = 0;
  std::size_t cost = kHandshakeHeaderSize + kPieceCost;
  Outcome outcome = Outcome::kept;
  if (const auto known = partial_.find(seq); known != partial_.end()) {
    const auto compared = compare(known, header, epoch);
    if (!compared || *compared == Outcome::plaintext) return compared;
    outcome = *compared;
    if (outcome == Outcome::kept) {
      have = known->second.contiguous();
      cost = 0;
    }
  }
  const bool in_order = header.fragment_offset <= have;
  const std::size_t end = header.fragment_offset + fragment.body.size();
  cost += in_order ? end - std::min(end, have) : fragment.body.size() + kPieceCost;
  if (!make_room(seq, cost, in_order)) return Outcome::full;
  auto [position, begun] = partial_.try_emplace(seq);
  if (begun) {
    position->second = begin(header, epoch);
    bytes_ += kHandshakeHeaderSize + kPieceCost;
  }
  store(position->second, header.fragment_offset, fragment.body);
  return outcome;
}

Result<Reassembler::Outcome> Reassembler::compare(
    std::map<wire::MessageSeq, Partial>::iterator known, const HandshakeHeader& header,
    wire::Epoch epoch) {
  const auto consistent = check(known->second, header, epoch);
  if (consistent) return Outcome::kept;
  if (known->second.epoch == wire::kPlaintextEpoch) {
    drop(known);
    return Outcome::replaced;
  }
  if (epoch == wire::kPlaintextEpoch) return Outcome::plaintext;
  return forward_error(consistent);
}

bool Reassembler::make_room(wire::MessageSeq seq, std::size_t size, bool in_order) {
  // The limit always allows one message of the largest size.
  const std::size_t limit =
      std::max(limits_.max_bytes, limits_.max_message + kHandshakeHeaderSize + kPieceCost);
  const auto full = [&] { return bytes_ + size > limit; };
  if (seq == next_seq_) {
    while (full() && !partial_.empty() && partial_.rbegin()->first != seq) {
      drop(std::prev(partial_.end()));
    }
    if (in_order && !partial_.empty()) {
      auto& ahead = partial_.begin()->second.ahead;
      while (full() && !ahead.empty()) {
        bytes_ -= std::prev(ahead.end())->second.size() + kPieceCost;
        ahead.erase(std::prev(ahead.end()));
      }
    }
  }
  return !full();
}

void Reassembler::store(Partial& partial, std::uint32_t offset, Bytes body) {
  if (offset > partial.contiguous()) {
    // If several fragments start at the same offset, the longest is kept.
    Buffer& piece = partial.ahead[offset];
    if (piece.size() >= body.size()) return;
    bytes_ += body.size() - piece.size() + (piece.empty() ? kPieceCost : 0);
    piece.assign(body.begin(), body.end());
    return;
  }
  const std::size_t before = partial.encoding.size();
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
    bytes_ -= piece->second.size() + kPieceCost;
    partial.ahead.erase(piece);
  }
  bytes_ += partial.encoding.size() - before;
}

void Reassembler::drop(std::map<wire::MessageSeq, Partial>::iterator position) {
  bytes_ -= position->second.encoding.size() + kPieceCost;
  for (const auto& [offset, piece] : position->second.ahead) bytes_ -= piece.size() + kPieceCost;
  partial_.erase(position);
}

void Reassembler::forget(wire::Epoch epoch) {
  for (auto position = partial_.begin(); position != partial_.end();) {
    const auto next = std::next(position);
    if (position->second.epoch == epoch) drop(position);
    position = next;
  }
}

bool Reassembler::has_gap() const {
  return std::ranges::any_of(partial_, [&](const auto& entry) {
    return entry.first != next_seq_ || !entry.second.ahead.empty();
  });
}

bool Reassembler::holds(wire::Epoch epoch) const {
  return std::ranges::any_of(partial_,
                             [&](const auto& entry) { return entry.second.epoch == epoch; });
}

std::optional<IncomingMessage> Reassembler::front() const {
  const auto due = partial_.find(next_seq_);
  if (due == partial_.end() || !due->second.whole()) return std::nullopt;
  return IncomingMessage{due->second.type, due->first, due->second.epoch, due->second.encoding};
}

void Reassembler::pop() {
  drop(partial_.find(next_seq_));
  next_seq_ = wire::next(next_seq_);
  used_up_ = next_seq_ == wire::MessageSeq{0};
}

}  // namespace sluice::dtls::flight
