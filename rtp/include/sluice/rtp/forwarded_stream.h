// One RTP stream as a server forwards it to one receiver (RFC 7667 section 3.7).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <sluice/rtp/bytes.h>
#include <sluice/rtp/clock.h>
#include <sluice/rtp/error.h>
#include <sluice/rtp/extension.h>
#include <sluice/rtp/numbers.h>
#include <sluice/rtp/packet.h>
#include <sluice/rtp/source_timeline.h>

namespace sluice::rtp {

// The receiver's payload types: index is the sender's, 0 to 127. Packets of the others are not
// forwarded.
using PayloadTypes = std::array<std::optional<PayloadType>, 128>;

// An element of the header extension that the server writes itself. The text has 1 to 16 bytes in
// the one-byte form, up to 255 in the two-byte form, and is copied.
struct TextElement {
  ExtensionId id{};
  std::string_view text = {};
};

// RFC 4588. The payload types are those of `apt` in SDP: index is again the sender's of the
// original.
struct RtxOptions {
  Ssrc ssrc{};
  PayloadTypes payload_types = {};
  // Takes the place of ForwardOptions::rid, and holds its text (RFC 8852 section 3.2).
  std::optional<ExtensionId> repaired_rid = {};
};

// What a receiver has agreed on for a stream.
struct ForwardOptions {
  Ssrc ssrc{};
  std::uint32_t clock_rate = 90'000;  // of the timestamps, in Hz: at least 1
  PayloadTypes payload_types = {};
  // The elements that are forwarded with the sender's value: index is the sender's ID, value the
  // receiver's. 0, as all are by default: not forwarded.
  ExtensionIds extension_ids = {};
  ExtensionForm extension_form = ExtensionForm::one_byte;
  std::optional<TextElement> mid = {};
  std::optional<TextElement> rid = {};
  // Written at send time.
  std::optional<ExtensionId> absolute_send_time = {};
  std::optional<ExtensionId> transport_sequence_number = {};
  std::optional<RtxOptions> rtx = {};
  // The packets that can be sent again, counted back from the newest: 0 to 32768. Each takes 20
  // bytes, and the number is rounded up to a power of two. Without RTX,
  // srtp::SessionOptions::repeat_window limits it, too.
  std::size_t repeat_window = 512;
};

// When a packet leaves, and the next number of transport-wide feedback of the session that it
// leaves over, which all its streams share. Each packet that has the element counts it up.
struct Departure {
  Instant time;
  SequenceNumber& next_transport_number;
};

// For sender reports (RFC 3550 section 6.4.1), without RTX and repetitions. They wrap around.
struct SenderCounts {
  std::uint32_t packets = 0;
  std::uint32_t payload_bytes = 0;
};

// What a stream goes on from in another process, so that its receiver sees no break: the numbers
// that it has used, and not the packets that can be sent again. Any values are safe here, but a
// stale or altered state gives packets numbers that were used before. SRTP refuses to protect
// these, in a session that was restored too (srtp::PacketError::replayed).
struct ForwardedStreamState {
  SourceTimelineState timeline = {};
  SequenceNumber next_rtx_number{};
  SenderCounts sent = {};
};

// Why a packet is not forwarded. None of them harms the stream.
enum class NotForwarded : std::uint8_t {
  payload_type,      // the receiver has agreed to none for it
  padding_only,      // a probe of the sender for its own path
  late,              // of a source, or from before a skip, that the stream has left behind
  duplicate,         // forwarded before
  buffer_too_small,  // less than max_size()
  not_repeatable,    // write_again(), write_rtx(): not sent, too long ago, not this packet, no RTX
};
inline constexpr std::size_t kNotForwardedReasons = 6;
std::string_view to_string(NotForwarded reason);

// The size of what was written, in bytes.
using ForwardResult = tl::expected<std::size_t, NotForwarded>;

// Gives the packets of a source the SSRC, payload type, sequence number, timestamp and header
// extension that one receiver has agreed on. Another source may take over at any packet, such as
// another simulcast layer or a sender that has come back: then sequence numbers go on without a
// gap, and timestamps by the time that has passed. Contributing sources and payload stay as they
// are; padding is left out, and so are elements that extension_form can't hold and those behind one
// that is malformed.
//
//   const auto size = stream.write(*rtp::read_packet(packet), departure, buffer);
//   if (size) transport.protect_rtp(buffer, *size);
//
// The first sequence number is below 32768, so that a receiver that misses the first packets does
// not miss a roll-over (RFC 3711 section 3.3.1). Move-only, since two copies would give two packets
// one number. Used by one thread at a time. Allocates nothing after make().
class ForwardedStream {
 public:
  // Errors: out_of_range (a payload type above 127; an ID of 0, used twice, or that the form can't
  // hold; clock_rate; repeat_window), too_long (a text that is empty or that the form can't hold).
  static WriteResult<ForwardedStream> make(const ForwardOptions& options);
  // Goes on from state(), which was taken of a stream with the same options. What that has sent
  // can't be sent again: origin_of() has none. The next transport-wide number is the caller's.
  static WriteResult<ForwardedStream> restore(const ForwardOptions& options,
                                              const ForwardedStreamState& state, Instant now);

  ForwardedStream(ForwardedStream&&) noexcept = default;
  ForwardedStream& operator=(ForwardedStream&&) noexcept = default;
  ForwardedStream(const ForwardedStream&) = delete;
  ForwardedStream& operator=(const ForwardedStream&) = delete;
  ~ForwardedStream() = default;

  // Writes the packet for the receiver to `out`, which it must not overlap. Packets may come in any
  // order. One whose payload type or padding keeps it back leaves no gap in the sequence numbers.
  ForwardResult write(const Packet& packet, const Departure& departure, MutableBytes out);
  // The packet is not for this receiver, such as one of a temporal layer that it does not get. The
  // sequence numbers close up, unless later packets were written before.
  void skip(const Packet& packet) { timeline_.skip(packet.ssrc, packet.sequence_number); }
  // What is written next is of another source, also where its SSRC is the same.
  void end_source() { timeline_.end_source(); }
  // The room that a packet needs at most, also as RTX.
  [[nodiscard]] std::size_t max_size(const Packet& packet) const;

  // ---- sending again: for a NACK of the receiver

  // Which packet of which source was sent as `number`. Empty: none, or too long ago.
  struct Origin {
    Ssrc source{};
    SequenceNumber number{};
  };
  [[nodiscard]] std::optional<Origin> origin_of(SequenceNumber number) const;
  // What was sent as `number`, to the byte, so that it may leave under its own number again (RFC
  // 3711 section 9.1). `packet` is the one that origin_of() names.
  ForwardResult write_again(SequenceNumber number, const Packet& packet, MutableBytes out) const;
  // The same as a packet of the RTX stream.
  ForwardResult write_rtx(SequenceNumber number, const Packet& packet, const Departure& departure,
                          MutableBytes out);

  // Nothing that was sent can be sent again: its packets are gone, and others may have their
  // source's SSRC and numbers.
  void forget_sent();

  // ---- reports

  // Of the source that forwards now: the receiver's timestamp for one of the source, for sender
  // reports. Empty before its first packet.
  [[nodiscard]] std::optional<Timestamp> timestamp_of(Timestamp source) const {
    return timeline_.timestamp_of(source);
  }
  [[nodiscard]] const SenderCounts& sent() const { return sent_; }
  [[nodiscard]] bool has_rtx() const { return rtx_.has_value(); }
  [[nodiscard]] Ssrc ssrc() const { return format_.ssrc; }

  // The stream ends here: two that go on from one state would use numbers twice.
  [[nodiscard]] ForwardedStreamState state(Instant now) && {
    return {.timeline = timeline_.state(now), .next_rtx_number = next_rtx_number_, .sent = sent_};
  }

 private:
  // What differs between a stream and its RTX stream.
  struct Format {
    Ssrc ssrc{};
    std::vector<std::byte> texts = {};  // MID and RID, as elements
    PayloadTypes payload_types = {};
  };
  // What a packet has that its origin doesn't tell.
  struct Sent {
    Origin origin;
    SequenceNumber number{};
    Timestamp timestamp{};
    AbsoluteSendTime send_time{};
    SequenceNumber transport_number{};
    bool is_valid = false;
  };

  explicit ForwardedStream(const ForwardOptions& options);
  [[nodiscard]] WriteResult<void> set_texts(Format& format, std::optional<TextElement> mid,
                                            std::optional<TextElement> rid);
  // The values of the elements that are written at send time.
  void set_departure(Sent& sent, const Departure& departure) const;
  // The header and the RTX stream's original sequence number, if any, then the payload.
  [[nodiscard]] ForwardResult write_as(const Format& format, const Sent& sent, const Packet& packet,
                                       std::optional<SequenceNumber> original,
                                       MutableBytes out) const;
  [[nodiscard]] HeaderExtension write_extension(const Format& format, const Sent& sent,
                                                const Packet& packet, MutableBytes out) const;
  void remember(const Sent& sent);
  [[nodiscard]] const Sent* find(SequenceNumber number) const;
  // Null also if `packet` is another one.
  [[nodiscard]] const Sent* find(SequenceNumber number, const Packet& packet) const;

  // What each packet needs stands together: a server with many streams has few of them in its
  // caches.
  std::vector<Sent> history_;  // a ring of a power of two, by sequence number
  std::optional<SequenceNumber> newest_;
  SenderCounts sent_;
  std::optional<ExtensionId> absolute_send_time_;
  std::optional<ExtensionId> transport_sequence_number_;
  ExtensionForm extension_form_;
  SequenceNumber next_rtx_number_{};
  std::size_t longest_texts_ = 0;  // of both formats
  Format format_;
  SourceTimeline timeline_;
  ExtensionIds extension_ids_;
  std::optional<Format> rtx_;
};

}  // namespace sluice::rtp
