// One direction of a session: libsrtp contexts that take any SSRC, and the SSRCs they have met.
#pragma once

#include <srtp2/srtp.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <sluice/srtp/session.h>

#include "absent_ssrcs.h"
#include "cryptex.h"
#include "outcome.h"
#include "packet.h"
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

  Outcome protect(PacketKind kind, MutableBytes buffer, std::size_t size);
  Outcome unprotect(PacketKind kind, MutableBytes packet);

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

  // SSRCs that made room for others.
  [[nodiscard]] std::uint64_t displaced() const { return displaced_; }

 private:
  static constexpr std::size_t kSrtcpIndex = 4;  // the E bit and the 31-bit index
  static constexpr std::size_t kMaxSearches = 16;
  // So many packets that are accepted allow one more search.
  static constexpr std::uint64_t kPacketsPerSearch = 1024;

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
      : direction_(direction),
        profile_(&profile),
        master_key_(std::move(master_key)),
        mki_(mki.begin(), mki.end()),
        options_(options) {}

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

  // Of a packet whose header is as it will be sent.
  Outcome protect_packet(PacketKind kind, MutableBytes buffer, std::size_t size);
  // Of an RTP packet whose header extension and CSRCs will be encrypted.
  Outcome protect_with_header(MutableBytes buffer, std::size_t size);
  Outcome protect_new(PacketKind kind, MutableBytes buffer, std::size_t size, std::uint32_t ssrc);
  Outcome protect_rtp(SsrcState& state, MutableBytes buffer, std::size_t size);
  // Of an index that was used, or lags too far: the same packet as then, or an error.
  Outcome repeat(SsrcState& state, std::uint64_t index, MutableBytes buffer, std::size_t size);
  // Inline, as each packet comes by here.
  Outcome protect_by_libsrtp(PacketKind kind, std::size_t shard, MutableBytes buffer,
                             std::size_t size) {
    auto* const context = shards_[shard].handle.get();
    auto length = static_cast<int>(size);
    const auto status = kind == PacketKind::rtp
                            ? srtp_protect_mki(context, buffer.data(), &length, uses_mki(), 0)
                            : srtp_protect_rtcp_mki(context, buffer.data(), &length, uses_mki(), 0);
    if (status != srtp_err_status_ok) return error_of(status);
    return static_cast<std::size_t>(length);
  }
  // Of an SSRC that isn't known, or no more.
  Outcome unprotect_new(PacketKind kind, MutableBytes packet, std::uint32_t ssrc);
  // Of an SSRC that has a stream.
  Outcome unprotect_known(PacketKind kind, MutableBytes packet, SsrcState& state);
  // Of an SSRC for whose stream there is a shard. Makes the stream for an index that libsrtp would
  // not begin with.
  Outcome unprotect_first(PacketKind kind, MutableBytes packet, SsrcState& state,
                          std::uint64_t index);
  Outcome unprotect_as(PacketKind kind, MutableBytes packet, SsrcState& state, std::uint64_t index);
  // Of an index that libsrtp's stream takes the packet to have.
  Outcome unprotect_in_order(PacketKind kind, MutableBytes packet, SsrcState& state,
                             std::uint64_t index);
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
                                         int& length);
  [[nodiscard]] SentPackets& sent_of(SsrcState& state) const {
    if (state.sent == nullptr) begin_sending(state);
    return *state.sent;
  }
  void begin_sending(SsrcState& state) const;
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

  [[nodiscard]] PacketError error_of(srtp_err_status_t status) const;
  // Whether an inbound packet is as long as what it must hold, and encrypted.
  [[nodiscard]] bool complete(PacketKind kind, Bytes packet, std::size_t header) const;
  [[nodiscard]] std::size_t trailer(PacketKind kind) const {
    return mki_.size() +
           (kind == PacketKind::rtp ? profile_->rtp_tag : profile_->rtcp_tag + kSrtcpIndex);
  }
  [[nodiscard]] srtp_ssrc_t any_ssrc() const {
    return {direction_ == Direction::inbound ? ssrc_any_inbound : ssrc_any_outbound, 0};
  }
  [[nodiscard]] bool uses_cryptex() const { return in_use(options_.cryptex, direction_); }
  [[nodiscard]] unsigned uses_mki() const { return mki_.empty() ? 0 : 1; }

  Direction direction_;
  const Profile* profile_;          // one of profile_of()
  dtls::SrtpMasterKey master_key_;  // for further shards
  dtls::Buffer mki_;
  SessionOptions options_;
  std::vector<Shard> shards_;
  std::vector<std::size_t> roomy_;  // the shards that have room
  SsrcTable known_;                 // at most options_.max_ssrcs
  // Those that are gone: at most Session::kMaxRetired, more where a session was restored. Those
  // that are expected: at most options_.max_ssrcs.
  AbsentSsrcs absent_;
  std::uint64_t displaced_ = 0;
  // How many packets may be tried with a second index: one that fails so costs a stream of libsrtp.
  std::size_t searches_left_ = kMaxSearches;
  std::uint64_t accepted_ = 0;  // inbound
  // Of a packet that is sent again, as large as the largest of them.
  dtls::Buffer copy_;
};

}  // namespace sluice::srtp
