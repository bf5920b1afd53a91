// Elements of RTP header extensions in the one-byte and the two-byte form (RFC 8285 section 4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <sluice/rtp/bytes.h>
#include <sluice/rtp/clock.h>
#include <sluice/rtp/error.h>
#include <sluice/rtp/packet.h>

namespace sluice::rtp {

// ---- reading

struct ExtensionElement {
  ExtensionId id;
  Bytes value;  // 1 to 16 bytes in the one-byte form, 0 to 255 in the two-byte form
};

// Walks through the elements. An extension of another profile has none.
class ExtensionReader {
 public:
  explicit ExtensionReader(const HeaderExtension& extension);

  // Empty at the end, and at the reserved ID 15 of the one-byte form, where RFC 8285 section 4.2
  // ends the reading. Error: bad_extension; then the next call returns empty.
  Result<std::optional<ExtensionElement>> next();

 private:
  Bytes rest_;
  bool one_byte_;
};

// The first element `id`; its value may be empty in the two-byte form. Empty: there is none. Error:
// bad_extension, if an element before it does not fit.
Result<std::optional<Bytes>> find_extension(const HeaderExtension& extension, ExtensionId id);
// The same in a packet, to be overwritten in place. Precondition: read_packet() accepts `packet`.
Result<std::optional<MutableBytes>> find_extension(MutableBytes packet, ExtensionId id);

// New IDs for those of a sender, because each peer negotiates IDs of its own: index is the old ID,
// value the new one; 0 removes the element.
using ExtensionIds = std::array<std::uint8_t, 256>;

// Replaces the IDs in place; removed elements become padding. Precondition: read_packet() accepts
// `packet`. Errors, which leave it unchanged: bad_extension; bad_value, if a new ID is above 14 and
// the packet has the one-byte form.
Result<void> replace_extension_ids(MutableBytes packet, const ExtensionIds& ids);

// ---- writing

enum class ExtensionForm : std::uint8_t { one_byte, two_byte };

// Writes elements to a buffer of the caller, one after the other.
class ExtensionWriter {
 public:
  // The two-byte form may be sent only if the peer has agreed to a=extmap-allow-mixed or to that
  // form (RFC 8285 section 4.1.2).
  // `written`: bytes of elements of that form that stand at the start of `out` already.
  ExtensionWriter(ExtensionForm form, MutableBytes out, std::size_t written = 0)
      : form_(form), out_(out), size_(written) {}

  // Errors, which write nothing: buffer_too_small; out_of_range, an ID that the form can't hold;
  // too_long, a value that it can't hold, and an empty one in the one-byte form.
  WriteResult<void> add(ExtensionId id, Bytes value);
  // The extension, padded to whole words, for Packet::extension; it points into the buffer. Error:
  // buffer_too_small. add() may follow.
  [[nodiscard]] WriteResult<HeaderExtension> finish();

 private:
  ExtensionForm form_;
  MutableBytes out_;
  std::size_t size_;
};

// ---- what the elements hold. The URIs are those of a=extmap.

inline constexpr std::string_view kMidUri = "urn:ietf:params:rtp-hdrext:sdes:mid";
inline constexpr std::string_view kRidUri = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
inline constexpr std::string_view kRepairedRidUri =
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
inline constexpr std::string_view kAudioLevelUri = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
inline constexpr std::string_view kAbsoluteSendTimeUri =
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
inline constexpr std::string_view kTransportSequenceNumberUri =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

// The identification tag of a media section, an SDP token (RFC 9143 section 15). Error: bad_text.
Result<std::string_view> read_mid(Bytes value);
// The ID of an RTP stream, letters and digits; also of a repaired one (RFC 8852 section 3). Error:
// bad_text.
Result<std::string_view> read_rid(Bytes value);

// Send time in units of 2^-18 s, which wraps around every 64 s (abs-send-time).
enum class AbsoluteSendTime : std::uint32_t {};  // 24 bits
inline constexpr std::size_t kAbsoluteSendTimeSize = 3;
AbsoluteSendTime absolute_send_time(Instant now);
Result<AbsoluteSendTime> read_absolute_send_time(Bytes value);  // errors: bad_length
// Precondition of this and those below: `value` has the size of the element.
void write_absolute_send_time(MutableBytes value, AbsoluteSendTime time);

// Sequence number over all streams of a transport (transport-wide-cc).
inline constexpr std::size_t kTransportSequenceNumberSize = 2;
Result<SequenceNumber> read_transport_sequence_number(Bytes value);  // errors: bad_length
void write_transport_sequence_number(MutableBytes value, SequenceNumber number);

// RFC 6464 section 3.
struct AudioLevel {
  bool voice = false;
  std::uint8_t below_overload = 127;  // -dBov, 0 to 127; 127 is silence

  friend bool operator==(const AudioLevel&, const AudioLevel&) = default;
};
// One byte; in the two-byte form a second one may follow. Errors: bad_length.
Result<AudioLevel> read_audio_level(Bytes value);
void write_audio_level(MutableBytes value, AudioLevel level);

}  // namespace sluice::rtp
