// What a session is restored from, and its form as bytes (docs/live-sessions.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/path.h>

#include "credentials.h"
#include "nomination.h"

namespace sluice::ice_lite {

struct LiveCredentials {
  std::string_view ufrag;
  dtls::Bytes pwd;
  std::string_view remote_ufrag;
  IceGeneration generation{};
};

// Times are ages: how long ago it was at the export.
struct LiveTuple {
  dtls::UdpPath path = {};
  Nominated checks = {};
  dtls::Duration since_check{};
  dtls::Duration since_added{};
  dtls::Duration since_heard{};
  bool is_nominated = false;
  bool is_told = false;  // the transport has it
};

// As LostPath.
struct LiveLostPath {
  dtls::UdpPath path = {};
  dtls::Duration since_check{};
};

// Texts and bytes point into what was decoded.
struct LiveSession {
  LiveCredentials credentials = {};
  std::optional<LiveCredentials> newer = {};
  IceGeneration least_generation = 1;
  bool is_rtt_settled = false;
  std::optional<dtls::Duration> rtt = {};
  std::vector<std::uint32_t> recent = {};  // as RecentChecks::parts()
  std::vector<LiveTuple> tuples = {};      // in the order of the session
  std::optional<std::size_t> selected = {};
  std::optional<LiveLostPath> lost = {};
  // A transport::TransportState in which the number of a path is that of its tuple here.
  dtls::Bytes transport = {};

  [[nodiscard]] IceGeneration newest_generation() const {
    return newer ? newer->generation : credentials.generation;
  }
  // Empty where a value does not fit its field.
  [[nodiscard]] dtls::Buffer encode() const;
  // Takes only what encode() writes; `transport` is not read. Errors: decode_error.
  static dtls::Result<LiveSession> decode(dtls::Bytes bytes);
};

}  // namespace sluice::ice_lite
