// One direction of a session: libsrtp contexts that take any SSRC, and the SSRCs they have met.
#pragma once

#include <srtp2/srtp.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include <sluice/srtp/session.h>

#include "absent_ssrcs.h"
#include "cryptex.h"
#include "packet.h"
#include "packet_index.h"
#include "profile.h"
#include "ssrc_table.h"
#include "state_form.h"

namespace sluice::srtp {

class Context {
 public:
  // `mki` is copied. Every packet carries the MKI, up to kMaxMki bytes, unless it is empty.
  static tl::expected<Context, SetupError> make(Direction direction, const Profile& profile,
                                                dtls::SrtpMasterKey master_key, Bytes mki,
                                                const SessionOptions& options);

  template <PacketKind Kind>
  Outcome protect(MutableBytes buffer, std::size_t size);
  template <PacketKind Kind>
  Outcome unprotect(MutableBytes packet);

  // As in Session, of a mode that this libsrtp has. False: it failed.
  [[nodiscard]] bool set_cryptex(Cryptex mode);
  bool remove_ssrc(std::uint32_t ssrc);
  // As in Session.
  [[nodiscard]] std::optional<std::uint32_t> roll_over_counter(std::uint32_t ssrc) const;
  bool expect_roll_over_counter(std::uint32_t ssrc, std::uint32_t counter);
  [[nodiscard]] std::vector<std::uint32_t> ssrcs() const { return known_.ssrcs(); }
  [[nodiscard]] std::vector<SsrcStatistics> ssrc_statistics() const { return known_.statistics(); }
  // What restore() continues from. Ends this context: it uses up an SRTCP index of each SSRC.
  void export_outbound(StreamStates& states);
  void export_inbound(StreamStates& states);
  // Of a context that has met no SSRC. Errors: foreign_state, state_too_large, out_of_memory.
  [[nodiscard]] tl::expected<void, SetupError> restore_outbound(const StreamStates& states);
  [[nodiscard]] tl::expected<void, SetupError> restore_inbound(StreamStates& states);

  // Where SSRCs that make room for others are counted; it outlives the context.
  void count_displaced(std::uint64_t& counter) { displaced_ = &counter; }

 private:
  static constexpr std::size_t kSrtcpIndex = 4;  // the E bit and the 31-bit index
  static constexpr std::size_t kMaxSearches = 16;
  // So many packets that are accepted allow one more search.
  static constexpr std::size_t kPacketsPerSearch = 1024;

  struct Dealloc {
    void operator()(srtp_ctx_t* context) const { srtp_dealloc(context); }
  };
  using Handle = std::unique_ptr<srtp_ctx_t, Dealloc>;
  // libsrtp searches the streams of a context one by one, so each context has a few.
  struct Shard {
    Handle handle;
    std::size_t streams = 0;
  };

  Context(Direction direction, const Profile& profile, dtls::SrtpMasterKey master_key, Bytes mki,
          const SessionOptions& options)
      : profile_(&profile),
        direction_(direction),
        uses_mki_(mki.empty() ? 0 : 1),
        rtp_trailer_(mki.size() + profile.rtp_tag),
        rtcp_trailer_(mki.size() + profile.rtcp_tag + kSrtcpIndex),
        mki_(mki.begin(), mki.end()),
        options_(options),
        master_key_(std::move(master_key)) {}

  // Runs `use` with libsrtp's policy, which holds the keys only meanwhile.
  template <class Use>
  srtp_err_status_t with_policy(srtp_ssrc_t ssrc, Use use);
  // A further shard, with room.
  [[nodiscard]] tl::expected<void, SetupError> add_shard();
  // The shard where the next new stream belongs.
  [[nodiscard]] tl::expected<std::size_t, PacketError> shard_with_room();
  // Whether a packet of an SSRC not known so far may pass, and the shard for its stream.
  [[nodiscard]] tl::expected<std::size_t, PacketError> admit(std::uint32_t ssrc);
  // An SSRC whose stream libsrtp has made in the shard. The one that was used the longest time ago
  // makes room.
  SsrcState& add(std::uint32_t ssrc, std::size_t shard);
  // Expects it of an SSRC that is not known. False: too many are expected.
  bool may_expect(std::uint32_t ssrc, std::uint32_t counter);
  // Keeps what must not be used or accepted again.
  void retire(const SsrcState& state);
  [[nodiscard]] bool may_retire() const { return absent_.gone() < Session::kMaxRetired; }
  // Of a context that is restored, SSRCs may be gone without having made room.
  [[nodiscard]] bool may_add() const {
    return known_.size() + absent_.gone() < options_.max_ssrcs + Session::kMaxRetired;
  }
  void remove_stream(std::size_t shard, std::uint32_t ssrc);

  // The functions that nearly all packets pass are inline, at the end of this file. What few need
  // is cold: it must not take room between them in the processor's caches.

  // Of a packet whose header is as it will be sent.
  template <PacketKind Kind>
  [[gnu::always_inline]] Outcome protect_packet(MutableBytes buffer, std::size_t size);
  // Of an RTP packet whose header extension and CSRCs will be encrypted.
  Outcome protect_with_header(MutableBytes buffer, std::size_t size);
  [[gnu::cold]] Outcome protect_new(PacketKind kind, MutableBytes buffer, std::size_t size,
                                    std::uint32_t ssrc);
  Outcome protect_rtp(SsrcState& state, MutableBytes buffer, std::size_t size);
  // Of an index that was used, or lags too far: the same packet as then, or an error.
  [[gnu::cold]] Outcome repeat(SsrcState& state, std::uint64_t index, MutableBytes buffer,
                               std::size_t size);
  Outcome protect_by_libsrtp(PacketKind kind, std::size_t shard, MutableBytes buffer,
                             std::size_t size);
  // Of an SSRC that isn't known, or no more.
  [[gnu::cold]] Outcome unprotect_new(PacketKind kind, MutableBytes packet, std::uint32_t ssrc);
  // Of an SSRC that has a stream.
  Outcome unprotect_known(PacketKind kind, MutableBytes packet, SsrcState& state);
  // The same where the stream alone does not tell the index.
  Outcome unprotect_by_index(PacketKind kind, MutableBytes packet, SsrcState& state);
  // Of an SSRC for whose stream there is a shard. Makes the stream for an index that libsrtp would
  // not begin with.
  Outcome unprotect_first(PacketKind kind, MutableBytes packet, SsrcState& state,
                          std::uint64_t index);
  Outcome unprotect_as(PacketKind kind, MutableBytes packet, SsrcState& state, std::uint64_t index);
  // Of an index that libsrtp's stream takes the packet to have.
  Outcome unprotect_by_stream(PacketKind kind, MutableBytes packet, const SsrcState& state);
  // Calls `attempt` with the index that the packet has, or may have.
  template <class Attempt>
  Outcome try_indices(PacketKind kind, MutableBytes packet, const SsrcState& state,
                      Attempt attempt);
  [[nodiscard]] std::uint64_t index_of(PacketKind kind, Bytes packet, const SsrcState& state) const;
  [[nodiscard]] std::uint64_t srtcp_index_of(Bytes packet) const;
  // Has libsrtp take this RTP packet as the one of `index`, where it would not by itself. Returns
  // whether it had to.
  bool set_index(srtp_t context, const SsrcState& state, std::uint64_t index) const;
  srtp_err_status_t unprotect_by_libsrtp(PacketKind kind, srtp_t context, MutableBytes packet,
                                         int& length) {
    return kind == PacketKind::rtp ? srtp_unprotect_mki(context, packet.data(), &length, uses_mki_)
                                   : unprotect_rtcp_by_libsrtp(context, packet, length);
  }
  srtp_err_status_t unprotect_rtcp_by_libsrtp(srtp_t context, MutableBytes packet, int& length);
  // Of a packet that has been accepted after a search.
  [[gnu::cold]] void earn_search();
  [[nodiscard]] SentPackets& sent_of(SsrcState& state) const {
    if (state.sent == nullptr) begin_sending(state);
    return *state.sent;
  }
  [[gnu::cold]] void begin_sending(SsrcState& state) const;
  // Of a protected RTP packet that had `size` bytes before.
  [[nodiscard]] SentPackets::Tag tag_of(Bytes packet, std::size_t size) const;

  // An SRTCP packet without contents, under the next index of the SSRC; empty when there is none.
  [[nodiscard]] dtls::Buffer protect_empty_rtcp(std::size_t shard, std::uint32_t ssrc);
  [[nodiscard]] tl::expected<void, SetupError> restore_outbound(const OutboundStream& stream);
  // Makes libsrtp's stream, whose next SRTCP index is the one after that of `last`.
  [[nodiscard]] bool restore_srtcp_index(std::size_t shard, std::uint32_t ssrc, Bytes last);
  // Makes `index` the highest RTP index of libsrtp's stream.
  [[nodiscard]] bool restore_rtp_index(std::size_t shard, std::uint32_t ssrc, std::uint64_t index);
  // What has been received of an SSRC, and whether libsrtp's stream has received an index.
  [[nodiscard]] IndexHistory received(PacketKind kind, const SsrcState& state, std::size_t window);
  [[nodiscard]] bool has_received(PacketKind kind, const SsrcState& state, std::uint64_t index);

  [[nodiscard, gnu::cold]] PacketError error_of(srtp_err_status_t status) const;
  // Whether an inbound packet is as long as what it must hold, and encrypted.
  [[nodiscard]] bool complete(PacketKind kind, Bytes packet, std::size_t header) const {
    return packet.size() >= header + trailer(kind) &&
           (kind == PacketKind::rtp || is_encrypted(packet));
  }
  [[nodiscard]] bool is_encrypted(Bytes rtcp) const;
  [[nodiscard]] std::size_t trailer(PacketKind kind) const {
    return kind == PacketKind::rtp ? rtp_trailer_ : rtcp_trailer_;
  }
  [[nodiscard]] srtp_ssrc_t any_ssrc() const {
    return {direction_ == Direction::inbound ? ssrc_any_inbound : ssrc_any_outbound, 0};
  }
  [[nodiscard]] bool uses_cryptex() const { return in_use(options_.cryptex, direction_); }

  // What each packet needs stands together, since the packets of other sessions come between.
  const Profile* profile_;  // one of profile_of()
  Direction direction_;
  unsigned uses_mki_;  // as libsrtp takes it
  std::size_t rtp_trailer_;
  std::size_t rtcp_trailer_;
  dtls::Buffer mki_;
  std::vector<Shard> shards_;
  SessionOptions options_;
  SsrcTable known_;  // at most options_.max_ssrcs

  dtls::SrtpMasterKey master_key_;  // for further shards
  std::vector<std::size_t> roomy_;  // the shards that have room
  // Those that are gone: at most Session::kMaxRetired, more where a session was restored. Those
  // that are expected: at most options_.max_ssrcs.
  AbsentSsrcs absent_;
  std::uint64_t* displaced_ = nullptr;
  // How many packets may be tried with a second index: one that fails so costs a stream of libsrtp.
  std::size_t searches_left_ = kMaxSearches;
  std::size_t accepted_ = 0;  // packets, since the first of those searches
  // Of a packet that is sent again, as large as the largest of them.
  dtls::Buffer copy_;
};

// ---- outbound

template <PacketKind Kind>
Outcome Context::protect(MutableBytes buffer, std::size_t size) {
  if (size > buffer.size()) return PacketError::buffer_too_small;
  if (clear_header_size(Kind, buffer.first(size)) == 0) return PacketError::malformed;
  const bool is_with_header = Kind == PacketKind::rtp && uses_cryptex();
  return is_with_header ? protect_with_header(buffer, size) : protect_packet<Kind>(buffer, size);
}

template <PacketKind Kind>
inline Outcome Context::protect_packet(MutableBytes buffer, std::size_t size) {
  if (buffer.size() - size < trailer(Kind)) return PacketError::buffer_too_small;
  const auto ssrc = ssrc_of(Kind, buffer);
  auto* const state = known_.find(ssrc);
  if (state == nullptr) return protect_new(Kind, buffer, size, ssrc);
  known_.touch(*state);
  const auto result = Kind == PacketKind::rtp
                          ? protect_rtp(*state, buffer, size)
                          : protect_by_libsrtp(Kind, state->shard, buffer, size);
  if (result) state->count(Kind, size);
  return result;
}

inline Outcome Context::protect_rtp(SsrcState& state, MutableBytes buffer, std::size_t size) {
  auto& sent = sent_of(state);
  const auto index = nearest_index(sent.highest(), sequence_of(buffer));
  if (index > kLastIndex) return PacketError::key_exhausted;
  if (sent.state_of(index) != SentPackets::State::unused) {
    return repeat(state, index, buffer, size);
  }
  // Before libsrtp, which may use up the index and then fail.
  auto* const tag = sent.use(index);
  const auto result = protect_by_libsrtp(PacketKind::rtp, state.shard, buffer, size);
  if (result && tag != nullptr) *tag = tag_of(buffer, size);
  return result;
}

inline Outcome Context::protect_by_libsrtp(PacketKind kind, std::size_t shard, MutableBytes buffer,
                                           std::size_t size) {
  auto* const context = shards_[shard].handle.get();
  auto length = static_cast<int>(size);
  const auto status = kind == PacketKind::rtp
                          ? srtp_protect_mki(context, buffer.data(), &length, uses_mki_, 0)
                          : srtp_protect_rtcp_mki(context, buffer.data(), &length, uses_mki_, 0);
  if (status != srtp_err_status_ok) return error_of(status);
  return static_cast<std::size_t>(length);
}

inline SentPackets::Tag Context::tag_of(Bytes packet, std::size_t size) const {
  // A GCM tag belongs to the ciphertext, which the MKI follows; other tags follow the MKI.
  const auto tag = packet.subspan(size + (profile_->index_after_tag ? 0 : mki_.size()));
  SentPackets::Tag value = 0;
  if (profile_->rtp_tag >= sizeof value) {
    std::memcpy(&value, tag.data(), sizeof value);
  } else {
    std::memcpy(&value, tag.data(), profile_->rtp_tag);
  }
  return value;
}

// ---- inbound

template <PacketKind Kind>
Outcome Context::unprotect(MutableBytes packet) {
  const auto header = clear_header_size(Kind, packet);
  if (header == 0 || !complete(Kind, packet, header)) return PacketError::malformed;
  if (options_.cryptex == Cryptex::required && Kind == PacketKind::rtp && is_header_clear(packet)) {
    return PacketError::header_in_clear;
  }
  const auto ssrc = ssrc_of(Kind, packet);
  auto* const state = known_.find(ssrc);
  if (state == nullptr) return unprotect_new(Kind, packet, ssrc);
  const auto result = unprotect_known(Kind, packet, *state);
  if (result) {
    known_.touch(*state);
    state->count(Kind, *result);
  }
  return result;
}

inline Outcome Context::unprotect_known(PacketKind kind, MutableBytes packet, SsrcState& state) {
  // Nearly all packets: their stream has all that was received of the SSRC.
  const bool is_usual =
      kind == PacketKind::rtp && state.received.rtp && !state.before.rtp.highest();
  if (!is_usual) return unprotect_by_index(kind, packet, state);
  const auto result = unprotect_by_stream(kind, packet, state);
  auto& highest = *state.received.rtp;
  if (result) highest = std::max(highest, nearest_index(highest, sequence_of(packet)));
  return result;
}

inline Outcome Context::unprotect_by_stream(PacketKind kind, MutableBytes packet,
                                            const SsrcState& state) {
  auto length = static_cast<int>(packet.size());
  const auto status = unprotect_by_libsrtp(kind, shards_[state.shard].handle.get(), packet, length);
  if (status != srtp_err_status_ok) return error_of(status);
  if (searches_left_ < kMaxSearches) earn_search();
  return static_cast<std::size_t>(length);
}

}  // namespace sluice::srtp
