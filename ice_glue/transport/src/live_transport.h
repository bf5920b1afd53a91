// What a transport is restored from, and its form as bytes (docs/live-sessions.md).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <sluice/dtls/connection.h>
#include <sluice/srtp/session.h>

namespace sluice::transport {

struct LiveTransport {
  dtls::PathId last_path = {};  // of the connection
  std::optional<dtls::PathId> selected = {};
  std::optional<std::uint32_t> mtu = {};  // of the selected path, in bytes
  std::optional<dtls::Duration> rtt = {};
  std::vector<dtls::PathId> paths = {};  // that ICE has validated
  srtp::Cryptex cryptex = srtp::Cryptex::off;
  dtls::Bytes session = {};              // a dtls::SessionState
  std::optional<dtls::Bytes> srtp = {};  // an srtp::SrtpState, if there was media

  [[nodiscard]] dtls::Buffer encode() const;
  // Takes only what encode() writes; the states point into `bytes`, and are not read. Errors:
  // decode_error.
  static dtls::Result<LiveTransport> decode(dtls::Bytes bytes);
};

}  // namespace sluice::transport
