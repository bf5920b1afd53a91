#include <sluice/rtp/extension.h>

#include <algorithm>

#include "byte_order.h"

namespace sluice::rtp {
namespace {

// RFC 8285 sections 4.2 and 4.3. The low four bits of the two-byte profile are "appbits", which
// receivers ignore.
constexpr std::uint16_t kOneByteProfile = 0xbede;
constexpr std::uint16_t kTwoByteProfile = 0x1000;
constexpr std::uint8_t kReservedId = 15;
constexpr std::uint8_t kMaxOneByteId = 14;
constexpr std::size_t kMaxOneByteValue = 16;
constexpr std::size_t kMaxTwoByteValue = 255;
constexpr std::size_t kTickShift = 18;  // abs-send-time: 2^-18 s

bool is_two_byte(std::uint16_t profile) { return (profile & 0xfff0) == kTwoByteProfile; }

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 8866 section 9: token-char.
bool is_token_character(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`{|}~";
  return is_letter_or_digit(c) || kOthers.find(c) != std::string_view::npos;
}

// RFC 8285 section 4.2: the ID and the size of the value less one.
std::uint8_t one_byte_head(std::uint8_t id, std::size_t size) {
  return static_cast<std::uint8_t>(std::size_t{id} << 4 | (size - 1));
}

}  // namespace

// ---- reading

ExtensionReader::ExtensionReader(const HeaderExtension& extension)
    : rest_(extension.profile == kOneByteProfile || is_two_byte(extension.profile) ? extension.body
                                                                                   : Bytes{}),
      one_byte_(extension.profile == kOneByteProfile) {}

Result<std::optional<ExtensionElement>> ExtensionReader::next() {
  const auto malformed = [this] {
    rest_ = {};
    return tl::unexpected(Malformed::bad_extension);
  };
  while (!rest_.empty() && rest_[0] == std::byte{0}) rest_ = rest_.subspan(1);  // padding
  if (rest_.empty()) return std::nullopt;
  const std::uint8_t first = load_u8(rest_, 0);
  const std::size_t head = one_byte_ ? 1 : 2;
  if (one_byte_ && first >> 4 == kReservedId) {
    rest_ = {};
    return std::nullopt;
  }
  // In the one-byte form ID 0 is padding, whose length is 0.
  if (rest_.size() < head || (one_byte_ && first >> 4 == 0)) return malformed();
  const std::uint8_t id = one_byte_ ? first >> 4 : first;
  const std::size_t length = one_byte_ ? (first & 0x0fU) + 1U : load_u8(rest_, 1);
  if (rest_.size() - head < length) return malformed();
  const ExtensionElement element{.id = ExtensionId{id}, .value = rest_.subspan(head, length)};
  rest_ = rest_.subspan(head + length);
  return element;
}

Result<std::optional<Bytes>> find_extension(const HeaderExtension& extension, ExtensionId id) {
  ExtensionReader reader(extension);
  while (true) {
    const auto element = reader.next();
    if (!element) return tl::unexpected(element.error());
    if (!*element) return std::nullopt;
    if ((*element)->id == id) return (*element)->value;
  }
}

Result<std::optional<MutableBytes>> find_extension(MutableBytes packet, ExtensionId id) {
  const auto read = read_packet(packet);
  if (!read) return tl::unexpected(read.error());
  const auto value = find_extension(read->extension, id);
  if (!value) return tl::unexpected(value.error());
  if (!*value) return std::nullopt;
  const auto offset = static_cast<std::size_t>((*value)->data() - packet.data());
  return packet.subspan(offset, (*value)->size());
}

Result<void> replace_extension_ids(MutableBytes packet, const ExtensionIds& ids) {
  const auto read = read_packet(packet);
  if (!read) return tl::unexpected(read.error());
  const bool one_byte = read->extension.profile == kOneByteProfile;
  // The first round checks, the second writes.
  for (const bool write : {false, true}) {
    ExtensionReader reader(read->extension);
    while (true) {
      const auto element = reader.next();
      if (!element) return tl::unexpected(element.error());
      if (!*element) break;
      const std::uint8_t id = ids[number((*element)->id)];
      if (one_byte && id > kMaxOneByteId) return tl::unexpected(Malformed::bad_value);
      if (!write) continue;
      const std::size_t head = one_byte ? 1 : 2;
      const std::size_t value = (*element)->value.size();
      const auto offset = static_cast<std::size_t>((*element)->value.data() - packet.data()) - head;
      if (id == 0) {
        std::ranges::fill(packet.subspan(offset, head + value), std::byte{0});
      } else {
        store_u8(packet, offset, one_byte ? one_byte_head(id, value) : id);
      }
    }
  }
  return {};
}

// ---- writing

WriteResult<void> ExtensionWriter::add(ExtensionId id, Bytes value) {
  const bool one_byte = form_ == ExtensionForm::one_byte;
  if (number(id) == 0 || (one_byte && number(id) > kMaxOneByteId)) {
    return tl::unexpected(WriteError::out_of_range);
  }
  if (value.size() > (one_byte ? kMaxOneByteValue : kMaxTwoByteValue) ||
      (one_byte && value.empty())) {
    return tl::unexpected(WriteError::too_long);
  }
  const std::size_t head = one_byte ? 1 : 2;
  if (out_.size() - size_ < head + value.size()) {
    return tl::unexpected(WriteError::buffer_too_small);
  }
  if (one_byte) {
    store_u8(out_, size_, one_byte_head(number(id), value.size()));
  } else {
    store_u8(out_, size_, number(id));
    store_u8(out_, size_ + 1, static_cast<std::uint8_t>(value.size()));
  }
  store_bytes(out_.subspan(size_ + head), value);
  size_ += head + value.size();
  return {};
}

WriteResult<HeaderExtension> ExtensionWriter::finish() {
  const std::size_t padding = (4 - size_ % 4) % 4;
  if (out_.size() - size_ < padding) return tl::unexpected(WriteError::buffer_too_small);
  std::ranges::fill(out_.subspan(size_, padding), std::byte{0});
  size_ += padding;
  return HeaderExtension{
      .profile = form_ == ExtensionForm::one_byte ? kOneByteProfile : kTwoByteProfile,
      .body = out_.first(size_)};
}

// ---- what the elements hold

Result<std::string_view> read_mid(Bytes value) {
  const auto text = as_text(value);
  if (text.empty() || !std::ranges::all_of(text, is_token_character)) {
    return tl::unexpected(Malformed::bad_text);
  }
  return text;
}

Result<std::string_view> read_rid(Bytes value) {
  const auto text = as_text(value);
  if (text.empty() || !std::ranges::all_of(text, is_letter_or_digit)) {
    return tl::unexpected(Malformed::bad_text);
  }
  return text;
}

AbsoluteSendTime absolute_send_time(Instant now) {
  constexpr std::int64_t kPerSecond = 1'000'000;
  constexpr std::int64_t kPeriod = 64 * kPerSecond;
  std::int64_t time = now.time_since_epoch().count() % kPeriod;
  if (time < 0) time += kPeriod;
  return AbsoluteSendTime{static_cast<std::uint32_t>((time << kTickShift) / kPerSecond)};
}

Result<AbsoluteSendTime> read_absolute_send_time(Bytes value) {
  if (value.size() != kAbsoluteSendTimeSize) return tl::unexpected(Malformed::bad_length);
  return AbsoluteSendTime{load_u24(value, 0)};
}
void write_absolute_send_time(MutableBytes value, AbsoluteSendTime time) {
  store_u24(value, 0, static_cast<std::uint32_t>(time));
}

Result<SequenceNumber> read_transport_sequence_number(Bytes value) {
  if (value.size() != kTransportSequenceNumberSize) return tl::unexpected(Malformed::bad_length);
  return SequenceNumber{load_u16(value, 0)};
}
void write_transport_sequence_number(MutableBytes value, SequenceNumber sequence_number) {
  store_u16(value, 0, number(sequence_number));
}

Result<AudioLevel> read_audio_level(Bytes value) {
  if (value.empty() || value.size() > 2) return tl::unexpected(Malformed::bad_length);
  return AudioLevel{.voice = (load_u8(value, 0) & 0x80) != 0,
                    .below_overload = static_cast<std::uint8_t>(load_u8(value, 0) & 0x7f)};
}
void write_audio_level(MutableBytes value, AudioLevel level) {
  store_u8(value, 0,
           static_cast<std::uint8_t>((level.voice ? 0x80 : 0) | (level.below_overload & 0x7f)));
}

}  // namespace sluice::rtp
