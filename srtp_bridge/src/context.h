// One direction of a session: a libsrtp context that takes any SSRC, and the SSRCs it has met.
#pragma once

#include <srtp2/srtp.h>

#include <memory>
#include <span>
#include <vector>

#include <sluice/srtp/session.h>

#include "packet.h"
#include "profile.h"

namespace sluice::srtp {

class Context {
 public:
  // `master_key` and `mki` are copied into libsrtp; they are mutable because its policy says so.
  // Every packet carries the MKI, up to kMaxMki bytes, unless it is empty.
  static tl::expected<Context, SetupError> make(Direction direction, const Profile& profile,
                                                MutableBytes master_key, MutableBytes mki,
                                                const SessionOptions& options);

  PacketResult protect(PacketKind kind, MutableBytes buffer, std::size_t size);
  PacketResult unprotect(PacketKind kind, MutableBytes packet);

  bool remove_ssrc(std::uint32_t ssrc);
  [[nodiscard]] std::span<const std::uint32_t> ssrcs() const { return ssrcs_; }

 private:
  struct Dealloc {
    void operator()(srtp_ctx_t* context) const { srtp_dealloc(context); }
  };
  using Handle = std::unique_ptr<srtp_ctx_t, Dealloc>;

  Context(Handle context, Direction direction, const Profile& profile, MutableBytes mki,
          std::size_t max_ssrcs)
      : context_(std::move(context)),
        direction_(direction),
        profile_(profile),
        mki_(mki.begin(), mki.end()),
        max_ssrcs_(max_ssrcs) {}

  [[nodiscard]] bool knows(std::uint32_t ssrc) const;
  [[nodiscard]] bool retired(std::uint32_t ssrc) const;
  // Whether a packet of an SSRC not known so far may pass.
  [[nodiscard]] tl::expected<void, PacketError> admit(std::uint32_t ssrc) const;
  // Whether an inbound packet is as long as what it must hold, and encrypted.
  [[nodiscard]] bool complete(PacketKind kind, Bytes packet, std::size_t header) const;
  [[nodiscard]] std::size_t trailer(PacketKind kind) const;
  [[nodiscard]] unsigned uses_mki() const { return mki_.empty() ? 0 : 1; }
  srtp_err_status_t unprotect_by_libsrtp(PacketKind kind, MutableBytes packet, int& length);
  void forget_stream(std::uint32_t ssrc);

  Handle context_;
  Direction direction_;
  Profile profile_;
  dtls::Buffer mki_;
  std::size_t max_ssrcs_;
  std::vector<std::uint32_t> ssrcs_;    // in order of appearance, at most max_ssrcs_
  std::vector<std::uint32_t> retired_;  // sorted, at most Session::kMaxRetired; outbound only
};

}  // namespace sluice::srtp
