#include "state_form.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <sluice/srtp/session.h>
#include <sluice/srtp/state.h>

#include "packet.h"
#include "packet_index.h"
#include "profile.h"
#include "session_limits.h"
#include "ssrc_table.h"
#include "wire/state_reader.h"

namespace sluice::srtp {
namespace {

using dtls::Buffer;
using dtls::wire::StateReader;

constexpr std::byte kFormat{1};
constexpr std::size_t kMaxOlder = (kMaxWindow - 1 + 7) / 8;  // bytes
constexpr std::size_t kIndexSize = 6;                        // 48 bits, for SRTCP too
constexpr std::uint64_t kLastSrtcpIndex = 0x7fff'ffff;       // 31 bits (RFC 3711 section 3.4)
constexpr std::uint8_t kHasRtp = 1;
constexpr std::uint8_t kHasSrtcp = 2;
constexpr std::uint8_t kIsExpected = 4;
// Of those that are known or gone, and those that are expected.
constexpr std::size_t kMostInbound = Session::kMaxRetired + 2 * kMaxSsrcs;

// ---- writing, in network order

void put(Buffer& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) out.push_back(static_cast<std::byte>(value >> 8 * i & 0xff));
}

void put(Buffer& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void put(Buffer& out, const IndexHistory& history) {
  if (!history.highest()) return;
  put(out, *history.highest(), kIndexSize);
  put(out, history.older().size(), 2);
  put(out, history.older());
}

// ---- reading

// Each entry takes at least `entry` bytes.
std::size_t take_count(StateReader& in, std::size_t limit, std::size_t entry) {
  const std::size_t count = in->u32();
  in.expect(count <= limit, "a count out of range");
  in.expect(count <= in->rest().size() / entry, "truncated");
  return in.ok() ? count : 0;
}

// Whether the last byte is one that IndexHistory keeps: it has a zero, and ones below index 0.
bool is_last_byte_right(std::uint64_t highest, Bytes older) {
  const auto last = older.back();
  if (last == std::byte{0xff}) return false;
  const std::uint64_t first_place = 8 * (older.size() - 1);
  for (unsigned bit = 0; bit < 8; ++bit) {
    const bool is_one = (last >> bit & std::byte{1}) != std::byte{0};
    if (first_place + bit >= highest && !is_one) return false;
  }
  return true;
}

IndexHistory take_history(StateReader& in, std::uint64_t limit) {
  const auto highest = in->u48();
  const auto size = std::size_t{in->u16()};
  if (highest > limit) in.fail("an index out of range");
  if (size > kMaxOlder) in.fail("a window out of range");
  const Bytes older = in->bytes(size);
  if (!in.ok()) return {};
  if (!older.empty() && !is_last_byte_right(highest, older)) {
    in.fail("a window in another form than the shortest");
    return {};
  }
  return {highest, Buffer(older.begin(), older.end())};
}

std::uint8_t take_flags(StateReader& in, std::uint8_t known) {
  const auto flags = in->u8();
  if ((flags & ~known) != 0) in.fail("an unknown flag");
  return flags;
}

// ---- streams

void put(Buffer& out, const OutboundStream& stream) {
  put(out, stream.ssrc, 4);
  put(out, stream.rtp.highest() ? kHasRtp : 0, 1);
  put(out, stream.rtp);
  put(out, stream.last_srtcp.size(), 1);
  put(out, stream.last_srtcp);
}

OutboundStream take_outbound(StateReader& in) {
  OutboundStream stream;
  stream.ssrc = in->u32();
  if ((take_flags(in, kHasRtp) & kHasRtp) != 0) stream.rtp = take_history(in, kLastIndex);
  const Bytes packet = in->bytes(in->u8());
  const bool fits = clear_header_size(PacketKind::rtcp, packet) && is_rtcp(packet) &&
                    ssrc_of(PacketKind::rtcp, packet) == stream.ssrc;
  if (!fits) in.fail("an SRTCP packet that is not of its SSRC");
  stream.last_srtcp.assign(packet.begin(), packet.end());
  return stream;
}

void put(Buffer& out, const InboundStream& stream) {
  const auto flags = (stream.rtp.highest() ? kHasRtp : 0) |
                     (stream.srtcp.highest() ? kHasSrtcp : 0) |
                     (stream.expected_roll_overs ? kIsExpected : 0);
  put(out, stream.ssrc, 4);
  put(out, static_cast<std::uint64_t>(flags), 1);
  put(out, stream.rtp);
  put(out, stream.srtcp);
  if (stream.expected_roll_overs) put(out, *stream.expected_roll_overs, 4);
}

InboundStream take_inbound(StateReader& in) {
  InboundStream stream;
  stream.ssrc = in->u32();
  const auto flags = take_flags(in, kHasRtp | kHasSrtcp | kIsExpected);
  if (flags == 0) in.fail("an SSRC without an index");
  if ((flags & kHasRtp) != 0 && (flags & kIsExpected) != 0) {
    in.fail("an SSRC that is expected and has come");
  }
  if ((flags & kHasRtp) != 0) stream.rtp = take_history(in, kLastIndex);
  if ((flags & kHasSrtcp) != 0) stream.srtcp = take_history(in, kLastSrtcpIndex);
  if ((flags & kIsExpected) != 0) stream.expected_roll_overs = in->u32();
  return stream;
}

// Refuses an SSRC that is not above the one before.
class Ascending {
 public:
  void next(StateReader& in, std::uint32_t ssrc) {
    if (before_ && *before_ >= ssrc) in.fail("SSRCs that are not in order");
    before_ = ssrc;
  }

 private:
  std::optional<std::uint32_t> before_ = {};
};

void take_all_outbound(StateReader& in, StreamStates& states) {
  SsrcSet seen;
  for (auto count = take_count(in, kMaxSsrcs, 5); count > 0 && in.ok(); --count) {
    states.outbound.push_back(take_outbound(in));
    if (!seen.insert(states.outbound.back().ssrc).second) in.fail("an SSRC that comes twice");
  }
  Ascending order;
  for (auto count = take_count(in, Session::kMaxRetired + kMaxSsrcs, 4); count > 0 && in.ok();
       --count) {
    states.retired.push_back(in->u32());
    order.next(in, states.retired.back());
    if (seen.contains(states.retired.back())) in.fail("an SSRC that comes twice");
  }
}

void take_all_inbound(StateReader& in, StreamStates& states) {
  Ascending order;
  for (auto count = take_count(in, kMostInbound, 5); count > 0 && in.ok(); --count) {
    states.inbound.push_back(take_inbound(in));
    order.next(in, states.inbound.back().ssrc);
  }
}

}  // namespace

Buffer StreamStates::encode() const {
  Buffer out;
  out.push_back(kFormat);
  put(out, static_cast<std::uint64_t>(profile), 2);
  put(out, outbound.size(), 4);
  for (const auto& stream : outbound) put(out, stream);
  put(out, retired.size(), 4);
  for (const auto ssrc : retired) put(out, ssrc, 4);
  put(out, inbound.size(), 4);
  for (const auto& stream : inbound) put(out, stream);
  return out;
}

dtls::Result<StreamStates> StreamStates::decode(Bytes bytes) {
  StateReader in(bytes);
  StreamStates states;
  in.expect(in->u8() == std::to_integer<std::uint8_t>(kFormat), "another format");
  states.profile = in->code<dtls::SrtpProfile>();
  if (in.ok() && profile_of(states.profile) == nullptr) in.fail("an unknown SRTP profile");
  take_all_outbound(in, states);
  take_all_inbound(in, states);
  if (const auto failure = in.failure(); !failure.empty()) {
    return tl::unexpected(dtls::Error{.code = dtls::Errc::decode_error, .detail = failure});
  }
  return states;
}

dtls::Result<SrtpState> SrtpState::parse(Bytes bytes) {
  return StreamStates::decode(bytes).map(
      [&](const StreamStates&) { return SrtpState(Buffer(bytes.begin(), bytes.end())); });
}

}  // namespace sluice::srtp
