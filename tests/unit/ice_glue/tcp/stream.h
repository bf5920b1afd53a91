// Streams of framed datagrams.
#pragma once

#include <sluice/tcp/framing.h>

#include <string>
#include <vector>

#include "support/bytes.h"

namespace sluice::tcp {

// All of them, one behind the other.
inline dtls::Buffer framed(const std::vector<std::string>& datagrams) {
  dtls::Buffer stream;
  for (const std::string& each : datagrams) {
    const auto header = frame_header(static_cast<std::uint16_t>(each.size()));
    const auto bytes = std::as_bytes(std::span(each));
    stream.insert(stream.end(), header.begin(), header.end());
    stream.insert(stream.end(), bytes.begin(), bytes.end());
  }
  return stream;
}

inline std::string text_of(dtls::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace sluice::tcp
