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
  // `master_key` is copied into libsrtp; it is mutable because libsrtp's policy says so.
  static tl::expected<Context, SetupError> make(Direction direction, const Profile& profile,
                                                MutableBytes master_key,
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

  Context(Handle context, Direction direction, const Profile& profile, std::size_t max_ssrcs)
      : context_(std::move(context)),
        direction_(direction),
        profile_(profile),
        max_ssrcs_(max_ssrcs) {}

  [[nodiscard]] bool knows(std::uint32_t ssrc) const;
  [[nodiscard]] bool retired(std::uint32_t ssrc) const;
  // Whether a packet of an SSRC not known so far may pass.
  [[nodiscard]] tl::expected<void, PacketError> admit(std::uint32_t ssrc) const;
  // Whether an inbound packet is as long as what it must hold, and encrypted.
  [[nodiscard]] bool complete(PacketKind kind, Bytes packet, std::size_t header) const;
  [[nodiscard]] std::size_t trailer(PacketKind kind) const;
  void forget_stream(std::uint32_t ssrc);

  Handle context_;
  Direction direction_;
  Profile profile_;
  std::size_t max_ssrcs_;
  std::vector<std::uint32_t> ssrcs_;    // in order of appearance, at most max_ssrcs_
  std::vector<std::uint32_t> retired_;  // sorted, at most Session::kMaxRetired; outbound only
};

}  // namespace sluice::srtp
