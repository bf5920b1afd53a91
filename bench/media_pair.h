// Two MediaTransports that are connected, without a network between them.
#pragma once

#include <sluice/ice/media_transport.h>

namespace sluice::bench {

inline constexpr dtls::PathId kMediaPath{1};

struct MediaPair {
  explicit MediaPair(dtls::SrtpProfile profile);

  ice::MediaTransport client;
  ice::MediaTransport server;
};

}  // namespace sluice::bench
