#include <sluice/rtp/forwarded_stream.h>

#include <algorithm>
#include <bit>
#include <bitset>

#include "byte_order.h"
#include "header.h"

namespace sluice::rtp {
namespace {

constexpr std::size_t kMaxRepeatWindow = 32768;
constexpr std::size_t kWordPadding = 3;
constexpr std::size_t kElementHead = 2;  // at most
constexpr std::size_t kOriginalNumberSize = 2;
constexpr std::size_t kMaxTextElement = kElementHead + 255;
constexpr std::size_t kTimedElements =
    kElementHead + kAbsoluteSendTimeSize + kElementHead + kTransportSequenceNumberSize;

bool are_valid(const PayloadTypes& types) {
  return std::ranges::all_of(types, [](const auto& type) { return !type || number(*type) <= 127; });
}

// Whether no two elements of a packet have one ID.
bool are_distinct(const ForwardOptions& options) {
  std::bitset<256> used;
  const auto use = [&used](ExtensionId id) {
    const bool was_used = used[number(id)];
    used[number(id)] = true;
    return !was_used;
  };
  const auto use_any = [&use](const auto& id) { return !id || use(*id); };
  for (const std::uint8_t id : options.extension_ids) {
    if (id != 0 && !use(ExtensionId{id})) return false;
  }
  // The RTX stream has the repaired RID in place of the RID, but a receiver knows each ID once.
  return (!options.mid || use(options.mid->id)) && (!options.rid || use(options.rid->id)) &&
         (!options.rtx || use_any(options.rtx->repaired_rid)) &&
         use_any(options.absolute_send_time) && use_any(options.transport_sequence_number);
}

bool fit(const ForwardOptions& options) {
  const auto fits = [&options](std::uint8_t id) {
    return options.extension_form == ExtensionForm::two_byte || id <= 14;
  };
  // Those of the texts are checked as they are written.
  for (const auto& id : {options.absolute_send_time, options.transport_sequence_number}) {
    if (id && (number(*id) == 0 || !fits(number(*id)))) return false;
  }
  return std::ranges::all_of(options.extension_ids, fits);
}

}  // namespace

WriteResult<ForwardedStream> ForwardedStream::make(const ForwardOptions& options) {
  const bool is_valid = are_valid(options.payload_types) &&
                        (!options.rtx || are_valid(options.rtx->payload_types)) && fit(options) &&
                        are_distinct(options) && options.clock_rate != 0 &&
                        options.repeat_window <= kMaxRepeatWindow;
  if (!is_valid) return tl::unexpected(WriteError::out_of_range);
  ForwardedStream made(options);
  if (auto set = made.set_texts(made.format_, options.mid, options.rid); !set) {
    return tl::unexpected(set.error());
  }
  if (!options.rtx) return made;
  std::optional<TextElement> repaired;
  if (options.rtx->repaired_rid) {
    if (!options.rid) return tl::unexpected(WriteError::too_long);
    repaired = TextElement{.id = *options.rtx->repaired_rid, .text = options.rid->text};
  }
  made.rtx_ = Format{.ssrc = options.rtx->ssrc, .payload_types = options.rtx->payload_types};
  if (auto set = made.set_texts(*made.rtx_, options.mid, repaired); !set) {
    return tl::unexpected(set.error());
  }
  return made;
}

WriteResult<ForwardedStream> ForwardedStream::restore(const ForwardOptions& options,
                                                      const ForwardedStreamState& state,
                                                      Instant now) {
  auto made = make(options);
  if (!made) return made;
  made->timeline_ = SourceTimeline(options.clock_rate, state.timeline, now);
  made->next_rtx_number_ = state.next_rtx_number;
  made->sent_ = state.sent;
  return made;
}

ForwardedStream::ForwardedStream(const ForwardOptions& options)
    : history_(options.repeat_window == 0 ? 0 : std::bit_ceil(options.repeat_window)),
      absolute_send_time_(options.absolute_send_time),
      transport_sequence_number_(options.transport_sequence_number),
      extension_form_(options.extension_form),
      format_{.ssrc = options.ssrc, .payload_types = options.payload_types},
      timeline_(options.clock_rate),
      extension_ids_(options.extension_ids) {}

WriteResult<void> ForwardedStream::set_texts(Format& format, std::optional<TextElement> mid,
                                             std::optional<TextElement> rid) {
  std::array<std::byte, 2 * kMaxTextElement + kWordPadding> space{};
  ExtensionWriter writer(extension_form_, space);
  std::size_t size = 0;
  const std::size_t head = extension_form_ == ExtensionForm::one_byte ? 1 : kElementHead;
  for (const auto& element : {mid, rid}) {
    if (!element) continue;
    if (element->text.empty()) return tl::unexpected(WriteError::too_long);
    const Bytes text = std::as_bytes(std::span(element->text));
    if (const auto added = writer.add(element->id, text); !added) return added;
    size += head + text.size();
  }
  format.texts.assign(space.begin(), space.begin() + static_cast<std::ptrdiff_t>(size));
  longest_texts_ = std::max(longest_texts_, size);
  return {};
}

// ---- packets

std::size_t ForwardedStream::max_size(const Packet& packet) const {
  // An element of the one-byte form becomes at most one byte longer.
  return kFixedHeaderSize + 4 * packet.contributing_sources.size() + kExtensionHead +
         longest_texts_ + 2 * packet.extension.body.size() + kTimedElements + kWordPadding +
         kOriginalNumberSize + packet.payload.size();
}

ForwardResult ForwardedStream::write(const Packet& packet, const Departure& departure,
                                     MutableBytes out) {
  const bool is_probe = packet.payload.empty() && packet.padding_size > 0;
  if (is_probe || !format_.payload_types[number(packet.payload_type)]) {
    skip(packet);
    return tl::unexpected(is_probe ? NotForwarded::padding_only : NotForwarded::payload_type);
  }
  if (out.size() < max_size(packet)) return tl::unexpected(NotForwarded::buffer_too_small);
  const auto place =
      timeline_.place(packet.ssrc, packet.sequence_number, packet.timestamp, departure.time);
  if (!place) return tl::unexpected(NotForwarded::late);
  if (find(place->number) != nullptr) return tl::unexpected(NotForwarded::duplicate);
  Sent sent{.origin = {.source = packet.ssrc, .number = packet.sequence_number},
            .number = place->number,
            .timestamp = place->timestamp,
            .is_valid = true};
  set_departure(sent, departure);
  ++sent_.packets;
  sent_.payload_bytes += static_cast<std::uint32_t>(packet.payload.size());
  if (!history_.empty()) remember(sent);
  return write_as(format_, sent, packet, std::nullopt, out);
}

ForwardResult ForwardedStream::write_again(SequenceNumber number, const Packet& packet,
                                           MutableBytes out) const {
  const Sent* const sent = find(number, packet);
  if (sent == nullptr) return tl::unexpected(NotForwarded::not_repeatable);
  if (out.size() < max_size(packet)) return tl::unexpected(NotForwarded::buffer_too_small);
  return write_as(format_, *sent, packet, std::nullopt, out);
}

ForwardResult ForwardedStream::write_rtx(SequenceNumber number, const Packet& packet,
                                         const Departure& departure, MutableBytes out) {
  const Sent* const original = find(number, packet);
  if (!rtx_ || original == nullptr || !rtx_->payload_types[rtp::number(packet.payload_type)]) {
    return tl::unexpected(NotForwarded::not_repeatable);
  }
  if (out.size() < max_size(packet)) return tl::unexpected(NotForwarded::buffer_too_small);
  Sent sent = *original;
  sent.number = next_rtx_number_;
  next_rtx_number_ = next_rtx_number_ + 1;
  set_departure(sent, departure);
  return write_as(*rtx_, sent, packet, number, out);
}

void ForwardedStream::set_departure(Sent& sent, const Departure& departure) const {
  if (absolute_send_time_) sent.send_time = rtp::absolute_send_time(departure.time);
  if (!transport_sequence_number_) return;
  sent.transport_number = departure.next_transport_number;
  departure.next_transport_number = departure.next_transport_number + 1;
}

ForwardResult ForwardedStream::write_as(const Format& format, const Sent& sent,
                                        const Packet& packet,
                                        std::optional<SequenceNumber> original,
                                        MutableBytes out) const {
  const auto payload_type = format.payload_types[number(packet.payload_type)];
  if (!payload_type) return tl::unexpected(NotForwarded::not_repeatable);
  const auto header = write_packet({.marker = packet.marker,
                                    .payload_type = *payload_type,
                                    .sequence_number = sent.number,
                                    .timestamp = sent.timestamp,
                                    .ssrc = format.ssrc,
                                    .contributing_sources = packet.contributing_sources},
                                   out);
  if (!header) return tl::unexpected(NotForwarded::buffer_too_small);
  std::size_t size = *header;
  const auto extension = write_extension(format, sent, packet, out.subspan(size + kExtensionHead));
  if (!extension.body.empty()) {
    store_u8(out, 0, load_u8(out, 0) | kExtensionBit);
    store_u16(out, size, extension.profile);
    store_u16(out, size + 2, static_cast<std::uint16_t>(extension.body.size() / 4));
    size += kExtensionHead + extension.body.size();
  }
  if (original) {
    store_u16(out, size, number(*original));
    size += kOriginalNumberSize;
  }
  store_bytes(out.subspan(size), packet.payload);
  return size + packet.payload.size();
}

HeaderExtension ForwardedStream::write_extension(const Format& format, const Sent& sent,
                                                 const Packet& packet, MutableBytes out) const {
  store_bytes(out, format.texts);
  const MutableBytes body = out.first(std::min(out.size(), kMaxExtension));
  ExtensionWriter writer(extension_form_, body, format.texts.size());
  // write() has seen to the room and make() to the IDs, so only what the form or the length of the
  // extension can't hold is not added.
  ExtensionReader reader(packet.extension);
  for (auto element = reader.next(); element && *element; element = reader.next()) {
    const std::uint8_t id = extension_ids_[number((*element)->id)];
    if (id != 0) static_cast<void>(writer.add(ExtensionId{id}, (*element)->value));
  }
  std::array<std::byte, kAbsoluteSendTimeSize> value{};
  if (absolute_send_time_) {
    write_absolute_send_time(value, sent.send_time);
    static_cast<void>(writer.add(*absolute_send_time_, value));
  }
  if (transport_sequence_number_) {
    const auto number = std::span(value).first(kTransportSequenceNumberSize);
    write_transport_sequence_number(number, sent.transport_number);
    static_cast<void>(writer.add(*transport_sequence_number_, number));
  }
  return writer.finish().value_or(HeaderExtension{});
}

// ---- what was sent

void ForwardedStream::remember(const Sent& sent) {
  const std::size_t mask = history_.size() - 1;
  const int ahead = newest_ ? distance(*newest_, sent.number) : 1;
  // Its place is that of a newer one.
  if (ahead <= -static_cast<int>(history_.size())) return;
  // The places of numbers between have those of 65,536 packets ago, or of none.
  for (int back = 1; back < std::min(ahead, static_cast<int>(history_.size())); ++back) {
    history_[number(sent.number + -back) & mask].is_valid = false;
  }
  if (ahead > 0) newest_ = sent.number;
  history_[number(sent.number) & mask] = sent;
}

const ForwardedStream::Sent* ForwardedStream::find(SequenceNumber number) const {
  if (history_.empty()) return nullptr;
  const Sent& sent = history_[rtp::number(number) & (history_.size() - 1)];
  return sent.is_valid && sent.number == number ? &sent : nullptr;
}

const ForwardedStream::Sent* ForwardedStream::find(SequenceNumber number,
                                                   const Packet& packet) const {
  const Sent* const sent = find(number);
  const bool is_it = sent != nullptr && sent->origin.source == packet.ssrc &&
                     sent->origin.number == packet.sequence_number;
  return is_it ? sent : nullptr;
}

void ForwardedStream::forget_sent() {
  for (Sent& sent : history_) sent.is_valid = false;
}

std::optional<ForwardedStream::Origin> ForwardedStream::origin_of(SequenceNumber number) const {
  const Sent* const sent = find(number);
  return sent != nullptr ? std::optional(sent->origin) : std::nullopt;
}

std::string_view to_string(NotForwarded reason) {
  switch (reason) {
    case NotForwarded::payload_type:
      return "payload_type";
    case NotForwarded::padding_only:
      return "padding_only";
    case NotForwarded::late:
      return "late";
    case NotForwarded::duplicate:
      return "duplicate";
    case NotForwarded::buffer_too_small:
      return "buffer_too_small";
    case NotForwarded::not_repeatable:
      return "not_repeatable";
  }
  return "unknown";
}

}  // namespace sluice::rtp
