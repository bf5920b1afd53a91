#include "context.h"

#include <algorithm>
#include <bit>

namespace sluice::srtp {
namespace {

constexpr std::size_t kSrtcpIndex = 4;  // the E bit and the 31-bit index

// libsrtp's srtp_remove_stream() alone takes an SSRC as it stands in the packet.
std::uint32_t network_order(std::uint32_t value) {
  if constexpr (std::endian::native == std::endian::big) return value;
  return value << 24 | (value & 0xff00) << 8 | (value >> 8 & 0xff00) | value >> 24;
}

PacketError error_of(srtp_err_status_t status, Direction direction) {
  switch (status) {
    case srtp_err_status_auth_fail:
    case srtp_err_status_bad_mki:  // made with a key that isn't ours
      return PacketError::authentication_failed;
    case srtp_err_status_cipher_fail:
      // What GCM of libsrtp on NSS says of some damaged packets.
      return direction == Direction::inbound ? PacketError::authentication_failed
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

}  // namespace

tl::expected<Context, SetupError> Context::make(Direction direction, const Profile& profile,
                                                MutableBytes master_key, MutableBytes mki,
                                                const SessionOptions& options) {
  srtp_master_key_t key{reinterpret_cast<unsigned char*>(master_key.data()),
                        reinterpret_cast<unsigned char*>(mki.data()),
                        static_cast<unsigned>(mki.size())};
  srtp_master_key_t* keys = &key;
  srtp_policy_t policy{};
  profile.rtp_policy(&policy.rtp);
  profile.rtcp_policy(&policy.rtcp);
  policy.ssrc.type = direction == Direction::inbound ? ssrc_any_inbound : ssrc_any_outbound;
  if (mki.empty()) {
    policy.key = key.key;
  } else {
    policy.keys = &keys;
    policy.num_master_keys = 1;
  }
  policy.window_size = options.replay_window;
  // An index is never used twice, not even for what looks like the same packet: its header
  // extensions may differ, and two packets under one nonce give GCM's key away.
  policy.allow_repeat_tx = 0;

  srtp_t context = nullptr;
  switch (srtp_create(&context, &policy)) {
    case srtp_err_status_ok:
      return Context(Handle(context), direction, profile, mki, options.max_ssrcs);
    case srtp_err_status_alloc_fail:
      return tl::unexpected(SetupError::out_of_memory);
    default:
      return tl::unexpected(SetupError::library_init_failed);
  }
}

PacketResult Context::protect(PacketKind kind, MutableBytes buffer, std::size_t size) {
  if (size > buffer.size()) return tl::unexpected(PacketError::buffer_too_small);
  const Bytes packet = buffer.first(size);
  if (!clear_header_size(kind, packet)) return tl::unexpected(PacketError::malformed);
  if (buffer.size() - size < trailer(kind)) return tl::unexpected(PacketError::buffer_too_small);
  const auto ssrc = ssrc_of(kind, packet);
  const bool known = knows(ssrc);
  if (!known) {
    if (const auto admitted = admit(ssrc); !admitted) return tl::unexpected(admitted.error());
  }

  auto length = static_cast<int>(size);
  const auto status =
      kind == PacketKind::rtp
          ? srtp_protect_mki(context_.get(), buffer.data(), &length, uses_mki(), 0)
          : srtp_protect_rtcp_mki(context_.get(), buffer.data(), &length, uses_mki(), 0);
  if (status != srtp_err_status_ok) {
    // libsrtp makes the stream before it looks further.
    if (!known) forget_stream(ssrc);
    return tl::unexpected(error_of(status, direction_));
  }
  if (!known) ssrcs_.push_back(ssrc);
  return static_cast<std::size_t>(length);
}

PacketResult Context::unprotect(PacketKind kind, MutableBytes packet) {
  const auto header = clear_header_size(kind, packet);
  if (!header || !complete(kind, packet, *header)) return tl::unexpected(PacketError::malformed);
  const auto ssrc = ssrc_of(kind, packet);
  const bool known = knows(ssrc);
  if (!known) {
    if (const auto admitted = admit(ssrc); !admitted) return tl::unexpected(admitted.error());
  }

  auto length = static_cast<int>(packet.size());
  const auto status = unprotect_by_libsrtp(kind, packet, length);
  // libsrtp makes an inbound stream only for a packet that has authenticated.
  if (status != srtp_err_status_ok) return tl::unexpected(error_of(status, direction_));
  if (!known) ssrcs_.push_back(ssrc);
  return static_cast<std::size_t>(length);
}

srtp_err_status_t Context::unprotect_by_libsrtp(PacketKind kind, MutableBytes packet, int& length) {
  if (kind == PacketKind::rtp) {
    return srtp_unprotect_mki(context_.get(), packet.data(), &length, uses_mki());
  }
  // libsrtp 2.5 looks for SRTCP's MKI before a tag of SRTP's length: where that is another, it is
  // taken out here. No tag covers it (RFC 3711 section 3.1).
  if (mki_.empty() || profile_.index_after_tag || profile_.rtp_tag == profile_.rtcp_tag) {
    return srtp_unprotect_rtcp_mki(context_.get(), packet.data(), &length, uses_mki());
  }
  const MutableBytes mki_and_tag = packet.last(mki_.size() + profile_.rtcp_tag);
  const auto tag = mki_and_tag.begin() + std::ssize(mki_);
  if (!std::equal(mki_and_tag.begin(), tag, mki_.begin())) return srtp_err_status_bad_mki;
  const auto moved_mki = std::ranges::rotate(mki_and_tag, tag).begin();
  length -= static_cast<int>(mki_.size());
  const auto status = srtp_unprotect_rtcp(context_.get(), packet.data(), &length);
  if (status != srtp_err_status_ok) std::ranges::rotate(mki_and_tag, moved_mki);
  return status;
}

bool Context::remove_ssrc(std::uint32_t ssrc) {
  const auto found = std::ranges::find(ssrcs_, ssrc);
  if (found == ssrcs_.end()) return false;
  if (direction_ == Direction::outbound) {
    if (retired_.size() == Session::kMaxRetired) return false;
    retired_.insert(std::ranges::upper_bound(retired_, ssrc), ssrc);
  }
  ssrcs_.erase(found);
  forget_stream(ssrc);
  return true;
}

bool Context::knows(std::uint32_t ssrc) const {
  return std::ranges::find(ssrcs_, ssrc) != ssrcs_.end();
}

bool Context::retired(std::uint32_t ssrc) const {
  return std::ranges::binary_search(retired_, ssrc);
}

tl::expected<void, PacketError> Context::admit(std::uint32_t ssrc) const {
  if (retired(ssrc)) return tl::unexpected(PacketError::ssrc_retired);
  if (ssrcs_.size() == max_ssrcs_) return tl::unexpected(PacketError::too_many_ssrcs);
  return {};
}

bool Context::complete(PacketKind kind, Bytes packet, std::size_t header) const {
  if (packet.size() < header + trailer(kind)) return false;
  if (kind == PacketKind::rtp) return true;
  // RFC 3711 section 3.4 allows unencrypted SRTCP packets, no profile here does. When such a packet
  // fails, libsrtp on NSS also keeps its header and then fails to authenticate the next packet.
  const std::size_t behind = mki_.size() + (profile_.index_after_tag ? 0 : profile_.rtcp_tag);
  const auto index = packet[packet.size() - behind - kSrtcpIndex];
  return (index & std::byte{0x80}) != std::byte{0};
}

std::size_t Context::trailer(PacketKind kind) const {
  return mki_.size() +
         (kind == PacketKind::rtp ? profile_.rtp_tag : profile_.rtcp_tag + kSrtcpIndex);
}

void Context::forget_stream(std::uint32_t ssrc) {
  srtp_remove_stream(context_.get(), network_order(ssrc));
}

}  // namespace sluice::srtp
