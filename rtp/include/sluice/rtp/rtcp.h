// RTCP packets, read and written without allocation (RFC 3550 section 6, RFC 4585, RFC 5104).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <sluice/rtp/bytes.h>
#include <sluice/rtp/clock.h>
#include <sluice/rtp/error.h>
#include <sluice/rtp/item_list.h>
#include <sluice/rtp/numbers.h>
#include <sluice/rtp/source_description.h>
#include <sluice/rtp/transport_feedback.h>

namespace sluice::rtp {

// ---- the packets. Lists and texts point to the received packet, or to what is to be written.

// What a receiver tells about one source (RFC 3550 section 6.4.1).
struct ReportBlock {
  Ssrc ssrc{};
  std::uint8_t fraction_lost = 0;  // of 256, since the previous report
  std::int32_t packets_lost = 0;   // 24 bits with a sign; duplicates may make it negative
  std::uint32_t highest_sequence_number = 0;  // extended by the number of cycles
  std::uint32_t jitter = 0;                   // in units of the clock rate
  CompactNtp last_sender_report{};            // 0: none has arrived
  CompactNtp delay_since_last{};

  friend bool operator==(const ReportBlock&, const ReportBlock&) = default;
};
template <>
struct ItemForm<ReportBlock> {
  static constexpr std::size_t kSize = 24;
  static ReportBlock read(Bytes bytes);
  static void write(MutableBytes out, const ReportBlock& block);
};

struct SenderReport {
  Ssrc sender{};
  NtpTime ntp_time{};
  Timestamp rtp_timestamp{};          // at ntp_time
  std::uint32_t packets = 0;          // sent since the beginning; wraps around
  std::uint32_t octets = 0;           // of payload, without padding; wraps around
  ItemList<ReportBlock> blocks = {};  // up to 31

  friend bool operator==(const SenderReport&, const SenderReport&) = default;
};

struct ReceiverReport {
  Ssrc sender{};
  ItemList<ReportBlock> blocks = {};  // up to 31

  friend bool operator==(const ReceiverReport&, const ReceiverReport&) = default;
};

// RFC 3550 section 6.6.
struct Goodbye {
  ItemList<Ssrc> sources = {};   // up to 31
  std::string_view reason = {};  // up to 255 bytes; empty: none

  friend bool operator==(const Goodbye&, const Goodbye&) = default;
};

// RFC 4585 section 6.2.1: a lost packet, and which of the 16 after it are lost: bit 0 is the next.
struct NackEntry {
  SequenceNumber lost{};
  std::uint16_t following = 0;

  // Names another packet, too. False: it is none of the 16 after `lost`.
  bool add(SequenceNumber number) {
    const int behind = distance(lost, number);
    if (behind < 1 || behind > 16) return false;
    following = static_cast<std::uint16_t>(following | 1U << (behind - 1));
    return true;
  }
  // Calls `visit` with the number of each packet that is lost, in their order.
  template <class Visit>
  void for_each(Visit visit) const {
    visit(lost);
    for (int i = 0; i < 16; ++i) {
      if ((following >> i & 1) != 0) visit(lost + (i + 1));
    }
  }

  friend bool operator==(const NackEntry&, const NackEntry&) = default;
};
template <>
struct ItemForm<NackEntry> {
  static constexpr std::size_t kSize = 4;
  static NackEntry read(Bytes bytes);
  static void write(MutableBytes out, const NackEntry& entry);
};

struct GenericNack {
  Ssrc sender{};
  Ssrc media{};
  ItemList<NackEntry> entries = {};  // 1 or more

  friend bool operator==(const GenericNack&, const GenericNack&) = default;
};

// RFC 4585 section 6.3.1.
struct PictureLossIndication {
  Ssrc sender{};
  Ssrc media{};

  friend bool operator==(const PictureLossIndication&, const PictureLossIndication&) = default;
};

// RFC 5104 section 4.3.1.
struct FullIntraEntry {
  Ssrc media{};
  std::uint8_t sequence_number = 0;  // the same in a repeated request

  friend bool operator==(const FullIntraEntry&, const FullIntraEntry&) = default;
};
template <>
struct ItemForm<FullIntraEntry> {
  static constexpr std::size_t kSize = 8;
  static FullIntraEntry read(Bytes bytes);
  static void write(MutableBytes out, const FullIntraEntry& entry);
};

struct FullIntraRequest {
  Ssrc sender{};
  ItemList<FullIntraEntry> entries = {};  // 1 or more

  friend bool operator==(const FullIntraRequest&, const FullIntraRequest&) = default;
};

// REMB, draft-alvestrand-rmcat-remb-03 section 2.
struct MaximumBitrate {
  Ssrc sender{};
  std::uint64_t bits_per_second = 0;  // written rounded down to 18 significant bits
  ItemList<Ssrc> media = {};          // up to 255

  friend bool operator==(const MaximumBitrate&, const MaximumBitrate&) = default;
};

// A packet of another type or format, such as XR or APP.
struct UnknownPacket {
  std::uint8_t type = 0;
  std::uint8_t format = 0;  // the five bits after the padding bit
  Bytes body = {};          // after the first four bytes, without padding
};

using RtcpPacket = std::variant<SenderReport, ReceiverReport, SourceDescription, Goodbye,
                                GenericNack, PictureLossIndication, FullIntraRequest,
                                MaximumBitrate, TransportFeedback, UnknownPacket>;

// ---- reading

// Walks through the packets of a compound. What it returns points into the compound.
//
//   for (CompoundReader reader(bytes); const auto packet = reader.next();) {
//     if (!*packet) ++malformed[packet->error()]; else std::visit(handle, **packet);
//   }
class CompoundReader {
 public:
  explicit CompoundReader(Bytes compound) : rest_(compound) {}

  // Empty at the end. A packet whose contents are malformed is an error, and the next one follows.
  // After too_short, wrong_version and bad_length, which leave the beginning of the next packet
  // unknown, the compound ends. Padding may follow any packet: senders of transport feedback pad
  // also what is not the last. An empty compound is too_short, once.
  std::optional<Result<RtcpPacket>> next();

 private:
  Bytes rest_;
  bool first_ = true;
};

// RFC 3550 section 6.1, or RFC 5506 if both sides have agreed to it by a=rtcp-rsize.
enum class CompoundForm : std::uint8_t { full, reduced_size };

// Whether the lengths of the packets add up to that of the compound and, in the full form, the
// first is a report (RFC 3550 appendix A.2), before anything in it is used. Errors: too_short,
// wrong_version, bad_length, no_report.
Result<void> check_compound(Bytes compound, CompoundForm form);

// ---- writing

// Writes packets to a buffer of the caller, one after the other.
class CompoundWriter {
 public:
  CompoundWriter(CompoundForm form, MutableBytes out) : form_(form), out_(out) {}

  // Each appends one packet, or nothing where it fails: buffer_too_small, too_many_items, too_long,
  // out_of_range; no_report in the full form. That form also needs a CNAME (RFC 3550 section 6.1),
  // which is the caller's to add.
  WriteResult<void> add(const SenderReport& packet);
  WriteResult<void> add(const ReceiverReport& packet);
  WriteResult<void> add(const SourceDescription& packet);
  WriteResult<void> add(const Goodbye& packet);
  WriteResult<void> add(const GenericNack& packet);
  WriteResult<void> add(const PictureLossIndication& packet);
  WriteResult<void> add(const FullIntraRequest& packet);
  WriteResult<void> add(const MaximumBitrate& packet);
  WriteResult<void> add(const TransportFeedback& packet);
  WriteResult<void> add(const UnknownPacket& packet);  // its body is of whole 32-bit words

  // What has been written.
  [[nodiscard]] MutableBytes compound() const { return out_.first(size_); }
  [[nodiscard]] std::size_t room() const { return out_.size() - size_; }

 private:
  struct Header;
  // Room for a body of `size` bytes behind the header that it writes.
  WriteResult<MutableBytes> add(const Header& header, std::size_t size);

  CompoundForm form_;
  MutableBytes out_;
  std::size_t size_ = 0;
};

}  // namespace sluice::rtp
