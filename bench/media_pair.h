// Two MediaTransports that are connected, without a network between them.
#pragma once

#include <sluice/transport/media_transport.h>

namespace sluice::bench {

inline constexpr dtls::PathId kMediaPath{1};

struct MediaPair {
  explicit MediaPair(dtls::SrtpProfile profile);

  transport::MediaTransport client;
  transport::MediaTransport server;
};

}  // namespace sluice::bench
