// How a context moves. libsrtp 2.5 takes a roll-over counter, and gives out or takes nothing else:
//
//   its replay lists   are read by packets that cannot authenticate, since libsrtp looks for
//   replays
//                      first
//   SRTCP index        is read from a packet without contents that is protected at the export, and
//                      restored by that packet: the stream that sends has it unprotected, which
//                      moves its list to 127 below the index, and then protects as many that are
//                      thrown away
//   RTP index          is restored by a packet that is thrown away, too
//
// What is protected again under an index that was used does not leave restore_outbound().
#include <algorithm>
#include <array>
#include <utility>

#include "context.h"

namespace sluice::srtp {
namespace {

constexpr std::size_t kSrtcpWindow = 128;  // of libsrtp
constexpr std::size_t kMaxProbe = kRtpHeader + kMaxTrailer;

using Scratch = std::array<std::byte, kMaxProbe>;

void put32(MutableBytes out, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::byte>(value >> (24 - 8 * i) & 0xff);
}

// An RTP packet without payload.
Scratch empty_rtp(std::uint32_t ssrc, std::uint64_t index) {
  Scratch packet{std::byte{0x80}};
  packet[2] = static_cast<std::byte>(index >> 8 & 0xff);
  packet[3] = static_cast<std::byte>(index & 0xff);
  put32(MutableBytes(packet).subspan(8), ssrc);
  return packet;
}

// A receiver report without blocks (RFC 3550 section 6.4.2): there is nothing to encrypt.
Scratch empty_rtcp(std::uint32_t ssrc) {
  Scratch packet{std::byte{0x80}, std::byte{201}, std::byte{0}, std::byte{1}};
  put32(MutableBytes(packet).subspan(4), ssrc);
  return packet;
}

}  // namespace

// ---- outbound

dtls::Buffer Context::protect_empty_rtcp(std::size_t shard, std::uint32_t ssrc) {
  auto packet = empty_rtcp(ssrc);
  const auto size = protect_by_libsrtp(PacketKind::rtcp, shard, packet, kRtcpHeader);
  if (!size) return {};
  return {packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(*size)};
}

void Context::export_outbound(StreamStates& states) {
  absent_.for_each_retired([&](std::uint32_t ssrc) { states.retired.push_back(ssrc); });
  for (const auto& state : known_.by_use()) {
    OutboundStream stream{.ssrc = state.ssrc};
    stream.last_srtcp = protect_empty_rtcp(state.shard, state.ssrc);
    if (stream.last_srtcp.empty()) {  // no index is left
      states.retired.push_back(state.ssrc);
      continue;
    }
    if (state.sent) stream.rtp = state.sent->history();
    states.outbound.push_back(std::move(stream));
  }
  std::ranges::sort(states.retired);
}

tl::expected<void, SetupError> Context::restore_outbound(const StreamStates& states) {
  const auto all = states.outbound.size() + states.retired.size();
  if (states.outbound.size() > options_.max_ssrcs ||
      all > options_.max_ssrcs + Session::kMaxRetired) {
    return tl::unexpected(SetupError::state_too_large);
  }
  for (const auto ssrc : states.retired) absent_.retire(ssrc);
  for (const auto& stream : states.outbound) {
    if (const auto restored = restore_outbound(stream); !restored) return restored;
  }
  return {};
}

tl::expected<void, SetupError> Context::restore_outbound(const OutboundStream& stream) {
  const auto shard = shard_with_room();
  if (!shard) return tl::unexpected(SetupError::out_of_memory);
  const auto highest = stream.rtp.highest();
  if (!restore_srtcp_index(*shard, stream.ssrc, stream.last_srtcp) ||
      (highest && !restore_rtp_index(*shard, stream.ssrc, *highest))) {
    return tl::unexpected(SetupError::foreign_state);
  }
  auto& state = add(stream.ssrc, *shard);
  if (highest) sent_of(state).restore(stream.rtp);
  return {};
}

bool Context::restore_srtcp_index(std::size_t shard, std::uint32_t ssrc, Bytes last) {
  const auto last_header =
      last.size() == kRtcpHeader + trailer(PacketKind::rtcp) ? last.first(kRtcpHeader) : Bytes();
  if (!std::ranges::equal(last_header, Bytes(empty_rtcp(ssrc)).first(kRtcpHeader))) return false;
  const auto target = srtcp_index_of(last);
  // Makes the stream, by the way.
  auto newest = protect_empty_rtcp(shard, ssrc);
  if (newest.empty()) return false;
  dtls::Buffer copy(last.begin(), last.end());
  auto length = static_cast<int>(copy.size());
  auto* const context = shards_[shard].handle.get();
  if (unprotect_by_libsrtp(PacketKind::rtcp, context, copy, length) != srtp_err_status_ok) {
    return false;
  }
  for (std::size_t i = 0; i < kSrtcpWindow && srtcp_index_of(newest) < target; ++i) {
    newest = protect_empty_rtcp(shard, ssrc);
    if (newest.empty()) return false;
  }
  return std::ranges::equal(newest, last);
}

bool Context::restore_rtp_index(std::size_t shard, std::uint32_t ssrc, std::uint64_t index) {
  auto* const context = shards_[shard].handle.get();
  const auto roll_overs = static_cast<std::uint32_t>(index >> 16);
  if (srtp_set_stream_roc(context, ssrc, roll_overs) != srtp_err_status_ok) return false;
  auto packet = empty_rtp(ssrc, index);
  if (!protect_by_libsrtp(PacketKind::rtp, shard, packet, kRtpHeader)) return false;
  std::uint32_t restored = 0;
  return srtp_get_stream_roc(context, ssrc, &restored) == srtp_err_status_ok &&
         restored == roll_overs;
}

// ---- inbound

bool Context::has_received(PacketKind kind, const SsrcState& state, std::uint64_t index) {
  auto packet = kind == PacketKind::rtp ? empty_rtp(state.ssrc, index) : empty_rtcp(state.ssrc);
  const auto header = kind == PacketKind::rtp ? kRtpHeader : kRtcpHeader;
  const MutableBytes probe = MutableBytes(packet).first(header + trailer(kind));
  const bool is_tag_last = !profile_->index_after_tag;
  if (kind == PacketKind::rtcp) {
    put32(probe.subspan(header + (is_tag_last ? 0 : profile_->rtcp_tag)),
          0x8000'0000 | static_cast<std::uint32_t>(index));
  }
  const auto tag = kind == PacketKind::rtp ? profile_->rtp_tag : profile_->rtcp_tag;
  std::ranges::copy(mki_, probe.last(mki_.size() + (is_tag_last ? tag : 0)).begin());
  auto length = static_cast<int>(probe.size());
  const auto status = unprotect_by_libsrtp(kind, shards_[state.shard].handle.get(), probe, length);
  return status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old;
}

IndexHistory Context::received(PacketKind kind, const SsrcState& state, std::size_t window) {
  const bool is_rtp = kind == PacketKind::rtp;
  const auto& before = state.received_before(kind);
  const auto& stream = is_rtp ? state.received.rtp : state.received.srtcp;
  const auto highest = state.highest_received(kind);
  if (!highest) return {};
  // libsrtp must know its own highest index again: a build that looks at tags first would tell
  // nothing of replays, so that all must count as received.
  if (stream && !has_received(kind, state, *stream)) return IndexHistory(highest);
  // Of the packets that the stream has taken, those not found yet.
  auto left = is_rtp ? state.counts.rtp : state.counts.rtcp;
  if (stream == highest) --left;
  return IndexHistory::of(*highest, window, [&](std::uint64_t index) {
    if (before.contains(index)) return true;
    if (!stream || left == 0 || index > *stream) return false;
    if (index != *stream && !has_received(kind, state, index)) return false;
    --left;
    return true;
  });
}

void Context::export_inbound(StreamStates& states) {
  absent_.for_each_expected([&](std::uint32_t ssrc, std::uint32_t counter) {
    if (absent_.find_removed(ssrc) != nullptr) return;
    states.inbound.push_back({.ssrc = ssrc, .expected_roll_overs = counter});
  });
  absent_.for_each_removed([&](std::uint32_t ssrc, ReceivedBefore& before) {
    states.inbound.push_back({.ssrc = ssrc,
                              .rtp = std::move(before.rtp),
                              .srtcp = std::move(before.srtcp),
                              .expected_roll_overs = absent_.expected_roll_overs(ssrc)});
  });
  for (const auto& state : known_.by_use()) {
    states.inbound.push_back({.ssrc = state.ssrc,
                              .rtp = received(PacketKind::rtp, state, options_.replay_window),
                              .srtcp = received(PacketKind::rtcp, state, kSrtcpWindow),
                              .expected_roll_overs = state.still_expected()});
  }
  std::ranges::sort(states.inbound, {}, &InboundStream::ssrc);
}

tl::expected<void, SetupError> Context::restore_inbound(StreamStates& states) {
  // Their streams come with their next packets.
  for (auto& stream : states.inbound) {
    if (stream.expected_roll_overs && !may_expect(stream.ssrc, *stream.expected_roll_overs)) {
      return tl::unexpected(SetupError::state_too_large);
    }
    if (!stream.rtp.highest() && !stream.srtcp.highest()) continue;
    absent_.remove(stream.ssrc, {.rtp = std::move(stream.rtp), .srtcp = std::move(stream.srtcp)});
  }
  if (absent_.gone() > options_.max_ssrcs + Session::kMaxRetired) {
    return tl::unexpected(SetupError::state_too_large);
  }
  return {};
}

}  // namespace sluice::srtp
