// libsrtp by itself: what MediaTransport's packets cost below it.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/protocol.h>
#include <srtp2/srtp.h>

namespace sluice::bench {

// One direction, set up as Sluice does: any SSRC, a window of 1024 packets.
class RawSrtp {
 public:
  RawSrtp(dtls::SrtpProfile profile, bool outbound);
  RawSrtp(RawSrtp&& other) noexcept;
  RawSrtp& operator=(RawSrtp&&) = delete;
  ~RawSrtp();

  // In place; the new size.
  std::size_t protect(dtls::MutableBytes buffer, std::size_t size);
  std::size_t unprotect(dtls::MutableBytes packet);

 private:
  srtp_t context_ = nullptr;
};

}  // namespace sluice::bench
