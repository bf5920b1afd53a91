// STUN responses that wait to be sent.
#pragma once

#include <array>
#include <cstddef>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/path.h>

#include "queue.h"

namespace sluice::ice_lite {

// The largest is an error 420: header 20, ERROR-CODE 8 with a reason of up to 20,
// UNKNOWN-ATTRIBUTES 20, MESSAGE-INTEGRITY 24, FINGERPRINT 8.
inline constexpr std::size_t kMaxResponse = 104;

struct Response {
  dtls::UdpPath path;
  std::array<std::byte, kMaxResponse> bytes{};
  std::size_t size = 0;
  // In place of `bytes`: with DTLS in STUN.
  dtls::Buffer with_dtls = {};

  [[nodiscard]] dtls::Bytes message() const {
    return with_dtls.empty() ? dtls::Bytes(bytes).first(size) : dtls::Bytes(with_dtls);
  }
};
using Responses = Queue<Response>;

}  // namespace sluice::ice_lite
