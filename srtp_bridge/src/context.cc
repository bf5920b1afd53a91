#include "context.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "packet_index.h"

namespace sluice::srtp {
namespace {

// A search takes no longer than a cache miss or two, and a context's own memory (3 to 30 kB) is
// shared by enough streams.
constexpr std::size_t kStreamsPerShard = 16;

// libsrtp's srtp_remove_stream() alone takes an SSRC as it stands in the packet.
std::uint32_t network_order(std::uint32_t value) {
  if constexpr (std::endian::native == std::endian::big) return value;
  return value << 24 | (value & 0xff00) << 8 | (value >> 8 & 0xff00) | value >> 24;
}

}  // namespace

PacketError Context::error_of(srtp_err_status_t status) const {
  switch (status) {
    case srtp_err_status_auth_fail:
    case srtp_err_status_bad_mki:  // made with a key that isn't ours
      return PacketError::authentication_failed;
    case srtp_err_status_cipher_fail:
      // What GCM of libsrtp on NSS says of some damaged packets.
      return direction_ == Direction::inbound ? PacketError::authentication_failed
                                              : PacketError::internal;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old:
      return PacketError::replayed;
    case srtp_err_status_bad_param:
    case srtp_err_status_parse_err:
    case srtp_err_status_cant_check:
      return PacketError::malformed;
    case srtp_err_status_key_expired:
      return PacketError::key_exhausted;
    default:
      return PacketError::internal;
  }
}

tl::expected<Context, SetupError> Context::make(Direction direction, const Profile& profile,
                                                dtls::SrtpMasterKey master_key, Bytes mki,
                                                const SessionOptions& options) {
  Context context(direction, profile, std::move(master_key), mki, options);
  if (const auto added = context.add_shard(); !added) return tl::unexpected(added.error());
  return context;
}

template <class Use>
srtp_err_status_t Context::with_policy(srtp_ssrc_t ssrc, Use use) {
  srtp_master_key_t key{reinterpret_cast<unsigned char*>(master_key_.bytes().data()),
                        reinterpret_cast<unsigned char*>(mki_.data()),
                        static_cast<unsigned>(mki_.size())};
  srtp_master_key_t* keys = &key;
  srtp_policy_t policy{};
  profile_->rtp_policy(&policy.rtp);
  profile_->rtcp_policy(&policy.rtcp);
  policy.ssrc = ssrc;
  if (mki_.empty()) {
    policy.key = key.key;
  } else {
    policy.keys = &keys;
    policy.num_master_keys = 1;
  }
  policy.window_size = options_.replay_window;
  // Then SentPackets, not libsrtp, ensures that no index is used for two packets.
  policy.allow_repeat_tx = direction_ == Direction::outbound && options_.repeat_window > 0 ? 1 : 0;
  return use(policy);
}

tl::expected<void, SetupError> Context::add_shard() {
  srtp_t context = nullptr;
  const auto status = with_policy(any_ssrc(), [&context](const srtp_policy_t& policy) {
    return srtp_create(&context, &policy);
  });
  if (status == srtp_err_status_alloc_fail) return tl::unexpected(SetupError::out_of_memory);
  if (status != srtp_err_status_ok) return tl::unexpected(SetupError::unsupported_profile);
  Handle handle(context);
  if (uses_cryptex() && !srtp::set_cryptex(context, any_ssrc(), true)) {
    return tl::unexpected(SetupError::unsupported_cryptex);
  }
  shards_.push_back({.handle = std::move(handle)});
  roomy_.push_back(shards_.size() - 1);
  return {};
}

// ---- SSRCs

tl::expected<std::size_t, PacketError> Context::admit(std::uint32_t ssrc) {
  if (absent_.is_retired(ssrc)) return tl::unexpected(PacketError::ssrc_retired);
  if (!may_add()) return tl::unexpected(PacketError::too_many_ssrcs);
  return shard_with_room();
}

tl::expected<std::size_t, PacketError> Context::shard_with_room() {
  if (roomy_.empty() && !add_shard()) return tl::unexpected(PacketError::internal);
  return roomy_.back();
}

SsrcState& Context::add(std::uint32_t ssrc, std::size_t shard) {
  if (++shards_[shard].streams == kStreamsPerShard) std::erase(roomy_, shard);
  if (known_.size() == options_.max_ssrcs) {
    retire(known_.oldest());
    ++*displaced_;
  }
  // Inbound, the next shard must not be made for a packet that then fails to authenticate. Where no
  // memory is left, shard_with_room() tries again.
  if (direction_ == Direction::inbound && roomy_.empty()) (void)add_shard();
  return known_.add(ssrc, shard);
}

void Context::retire(const SsrcState& state) {
  if (direction_ == Direction::outbound) {
    absent_.retire(state.ssrc);
  } else {
    absent_.remove(state.ssrc, {.rtp = IndexHistory(state.highest_received(PacketKind::rtp)),
                                .srtcp = IndexHistory(state.highest_received(PacketKind::rtcp))});
    if (const auto expected = state.still_expected()) may_expect(state.ssrc, *expected);
  }
  if (shards_[state.shard].streams-- == kStreamsPerShard) roomy_.push_back(state.shard);
  remove_stream(state.shard, state.ssrc);
  known_.remove(state.ssrc);
}

void Context::remove_stream(std::size_t shard, std::uint32_t ssrc) {
  srtp_remove_stream(shards_[shard].handle.get(), network_order(ssrc));
}

bool Context::set_cryptex(Cryptex mode) {
  options_.cryptex = mode;
  bool is_set = true;
  for (const Shard& shard : shards_) {
    is_set &= srtp::set_cryptex(shard.handle.get(), any_ssrc(), uses_cryptex());
  }
  // Those that were made by themselves.
  for (const SsrcState& state : known_.by_use()) {
    is_set &= srtp::set_cryptex(shards_[state.shard].handle.get(), {ssrc_specific, state.ssrc},
                                uses_cryptex());
  }
  return is_set;
}

bool Context::remove_ssrc(std::uint32_t ssrc) {
  const auto* const state = known_.find(ssrc);
  if (state == nullptr || !may_retire()) return false;
  retire(*state);
  return true;
}

std::optional<std::uint32_t> Context::roll_over_counter(std::uint32_t ssrc) const {
  const auto* const state = known_.find(ssrc);
  if (state == nullptr) return std::nullopt;
  if (direction_ == Direction::outbound) {
    return state->sent ? std::optional(static_cast<std::uint32_t>(state->sent->highest() >> 16))
                       : std::nullopt;
  }
  const auto& highest = state->received.rtp;
  return highest ? std::optional(static_cast<std::uint32_t>(*highest >> 16)) : std::nullopt;
}

bool Context::expect_roll_over_counter(std::uint32_t ssrc, std::uint32_t counter) {
  const auto* const removed = absent_.find_removed(ssrc);
  if (removed != nullptr && removed->rtp.highest()) return false;
  if (auto* const state = known_.find(ssrc)) {
    if (state->highest_received(PacketKind::rtp)) return false;
    state->expected_roll_overs = counter;
    return true;
  }
  return may_expect(ssrc, counter);
}

bool Context::may_expect(std::uint32_t ssrc, std::uint32_t counter) {
  const bool is_full = absent_.expected() >= options_.max_ssrcs;
  if (is_full && !absent_.expected_roll_overs(ssrc)) return false;
  absent_.expect(ssrc, counter);
  return true;
}

// ---- outbound

Outcome Context::protect_with_header(MutableBytes buffer, std::size_t size) {
  const Bytes packet = buffer.first(size);
  if (!is_encryptable(packet)) return PacketError::header_in_clear;
  const std::size_t added = lacks_extension(packet) ? kEmptyExtension : 0;
  if (buffer.size() - size < added) return PacketError::buffer_too_small;
  if (added > 0) add_empty_extension(buffer, size);
  const auto result = protect_packet<PacketKind::rtp>(buffer, size + added);
  if (!result && added > 0) remove_empty_extension(buffer, size);
  return result;
}

Outcome Context::protect_new(PacketKind kind, MutableBytes buffer, std::size_t size,
                             std::uint32_t ssrc) {
  const auto shard = admit(ssrc);
  if (!shard) return shard.error();
  const auto sequence = kind == PacketKind::rtp ? sequence_of(buffer) : std::uint16_t{0};
  const auto result = protect_by_libsrtp(kind, *shard, buffer, size);
  if (!result) {
    // libsrtp makes the stream before it looks further.
    remove_stream(*shard, ssrc);
    return result;
  }
  auto& state = add(ssrc, *shard);
  state.count(kind, size);
  if (kind == PacketKind::rtp) {
    if (auto* const tag = sent_of(state).use(sequence)) *tag = tag_of(buffer, size);
  }
  return result;
}

Outcome Context::repeat(SsrcState& state, std::uint64_t index, MutableBytes buffer,
                        std::size_t size) {
  const auto tag = state.sent->tag_of(index);
  if (!tag) return PacketError::replayed;
  const auto packet = buffer.first(size);
  copy_.assign(packet.begin(), packet.end());
  const auto result = protect_by_libsrtp(PacketKind::rtp, state.shard, buffer, size);
  if (!result || tag_of(buffer, size) == *tag) return result;
  // Two packets under one index may tell the key of their tags.
  std::ranges::fill(buffer.subspan(size, *result - size), std::byte{});
  std::ranges::copy(copy_, packet.begin());
  return PacketError::index_reused;
}

void Context::begin_sending(SsrcState& state) const {
  state.sent = std::make_unique<SentPackets>(
      options_.replay_window, std::min(options_.repeat_window, options_.replay_window));
}

// ---- inbound

Outcome Context::unprotect_by_index(PacketKind kind, MutableBytes packet, SsrcState& state) {
  return try_indices(kind, packet, state,
                     [&](std::uint64_t index) { return unprotect_as(kind, packet, state, index); });
}

Outcome Context::unprotect_new(PacketKind kind, MutableBytes packet, std::uint32_t ssrc) {
  auto* const removed = absent_.find_removed(ssrc);
  // One that returns is gone no more, which makes room.
  const auto shard = removed != nullptr ? shard_with_room() : admit(ssrc);
  if (!shard) return shard.error();
  SsrcState candidate{.ssrc = ssrc, .shard = *shard};
  if (removed != nullptr) candidate.before = std::move(*removed);
  candidate.expected_roll_overs = absent_.expected_roll_overs(ssrc);
  const auto result = try_indices(kind, packet, candidate, [&](std::uint64_t index) {
    return unprotect_first(kind, packet, candidate, index);
  });
  if (!result) {
    if (removed != nullptr) *removed = std::move(candidate.before);
    return result;
  }
  absent_.forget(ssrc);
  auto& state = add(ssrc, *shard);
  state.received = candidate.received;
  state.before = std::move(candidate.before);
  state.expected_roll_overs = candidate.expected_roll_overs;
  state.count(kind, *result);
  return result;
}

// Only the first RTP packet has two: after it, the highest index tells.
template <class Attempt>
Outcome Context::try_indices(PacketKind kind, MutableBytes packet, const SsrcState& state,
                             Attempt attempt) {
  const auto index = index_of(kind, packet, state);
  const bool is_first =
      kind == PacketKind::rtp && !state.highest_received(kind) && !state.expected_roll_overs;
  if (!is_first || index >= kRollOver / 2 || searches_left_ == 0) return attempt(index);
  // libsrtp's GCM decrypts what does not authenticate.
  const dtls::Buffer copy(packet.begin(), packet.end());
  const auto result = attempt(index);
  if (result || result.error() != PacketError::authentication_failed) return result;
  std::ranges::copy(copy, packet.begin());
  --searches_left_;
  return attempt(kRollOver + index);
}

Outcome Context::unprotect_first(PacketKind kind, MutableBytes packet, SsrcState& state,
                                 std::uint64_t index) {
  // libsrtp makes an inbound stream only for a packet that has authenticated, with a roll-over
  // counter of 0. Those of a later one authenticate in a stream that is made before.
  const bool is_made =
      kind == PacketKind::rtp && index >= kRollOver && !state.received_before(kind).contains(index);
  if (is_made) {
    auto* const context = shards_[state.shard].handle.get();
    const srtp_ssrc_t ssrc{ssrc_specific, state.ssrc};
    const auto status = with_policy(
        ssrc, [context](const srtp_policy_t& policy) { return srtp_add_stream(context, &policy); });
    if (status != srtp_err_status_ok) return PacketError::internal;
    if (uses_cryptex() && !srtp::set_cryptex(context, ssrc, true)) {
      remove_stream(state.shard, state.ssrc);
      return PacketError::internal;
    }
  }
  const auto result = unprotect_as(kind, packet, state, index);
  if (!result && is_made) remove_stream(state.shard, state.ssrc);
  return result;
}

Outcome Context::unprotect_as(PacketKind kind, MutableBytes packet, SsrcState& state,
                              std::uint64_t index) {
  auto* const context = shards_[state.shard].handle.get();
  // libsrtp's replay list went with the stream that was removed (RFC 3711 section 3.3.2).
  const auto& before = state.received_before(kind);
  if (before.contains(index)) return PacketError::replayed;
  const bool is_set = kind == PacketKind::rtp && set_index(context, state, index);
  const auto result = unprotect_by_stream(kind, packet, state);
  auto& highest = kind == PacketKind::rtp ? state.received.rtp : state.received.srtcp;
  if (result) highest = std::max(highest.value_or(0), index);
  // Or a forged packet would set the roll-over counter of the next one.
  if (!result && is_set) srtp_set_stream_roc(context, state.ssrc, 0);
  return result;
}

void Context::earn_search() {
  if (++accepted_ % kPacketsPerSearch == 0) ++searches_left_;
}

bool Context::set_index(srtp_t context, const SsrcState& state, std::uint64_t index) const {
  const auto roll_overs = static_cast<std::uint32_t>(index >> 16);
  const auto& highest = state.received.rtp;
  const bool is_clear =
      highest && nearest_index(*highest, static_cast<std::uint16_t>(index)) == index;
  // In a stream without packets libsrtp takes the counter to be 0.
  if (is_clear || roll_overs == 0) return false;
  return srtp_set_stream_roc(context, state.ssrc, roll_overs) == srtp_err_status_ok;
}

std::uint64_t Context::index_of(PacketKind kind, Bytes packet, const SsrcState& state) const {
  if (kind == PacketKind::rtp) {
    const auto sequence = sequence_of(packet);
    const auto highest = state.highest_received(kind);
    if (highest) return nearest_index(*highest, sequence);
    return state.expected_roll_overs.value_or(0) * kRollOver + sequence;
  }
  return srtcp_index_of(packet);
}

std::uint64_t Context::srtcp_index_of(Bytes packet) const {
  const std::size_t behind = mki_.size() + (profile_->index_after_tag ? 0 : profile_->rtcp_tag);
  std::uint64_t index = 0;
  for (const std::byte byte : packet.last(behind + kSrtcpIndex).first(kSrtcpIndex)) {
    index = index << 8 | std::to_integer<std::uint64_t>(byte);
  }
  return index & 0x7fff'ffff;  // without the E bit
}

srtp_err_status_t Context::unprotect_rtcp_by_libsrtp(srtp_t context, MutableBytes packet,
                                                     int& length) {
  // libsrtp 2.5 looks for SRTCP's MKI before a tag of SRTP's length: where that is another, it is
  // taken out here. No tag covers it (RFC 3711 section 3.1).
  if (mki_.empty() || profile_->index_after_tag || profile_->rtp_tag == profile_->rtcp_tag) {
    return srtp_unprotect_rtcp_mki(context, packet.data(), &length, uses_mki_);
  }
  const MutableBytes mki_and_tag = packet.last(mki_.size() + profile_->rtcp_tag);
  const auto tag = mki_and_tag.begin() + std::ssize(mki_);
  if (!std::equal(mki_and_tag.begin(), tag, mki_.begin())) return srtp_err_status_bad_mki;
  const auto moved_mki = std::ranges::rotate(mki_and_tag, tag).begin();
  length -= static_cast<int>(mki_.size());
  const auto status = srtp_unprotect_rtcp(context, packet.data(), &length);
  if (status != srtp_err_status_ok) std::ranges::rotate(mki_and_tag, moved_mki);
  return status;
}

bool Context::is_encrypted(Bytes rtcp) const {
  // RFC 3711 section 3.4 allows unencrypted SRTCP packets, no profile here does. When such a packet
  // fails, libsrtp on NSS also keeps its header and then fails to authenticate the next packet.
  const std::size_t behind = mki_.size() + (profile_->index_after_tag ? 0 : profile_->rtcp_tag);
  const auto index = rtcp[rtcp.size() - behind - kSrtcpIndex];
  return (index & std::byte{0x80}) != std::byte{0};
}

}  // namespace sluice::srtp
