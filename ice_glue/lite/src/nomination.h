// Which of the nominated tuples of a session is used.
#pragma once

#include <cstdint>

#include <sluice/dtls/clock.h>

#include "credentials.h"

namespace sluice::ice_lite {

// Two of the longest intervals between consent checks (RFC 7675 section 5.1: 5 s, and up to a fifth
// more): one check may be lost.
inline constexpr dtls::Duration kQuiet = std::chrono::seconds{12};

struct Nominated {
  IceGeneration generation{};    // of the credentials of its checks
  std::uint32_t nomination = 0;  // the highest value of libwebrtc's attribute; 0: none
  std::uint32_t priority = 0;    // of its last check
};

// Whether the peer means `other`, whose nominating check has just come, instead of `selected`;
// `is_quiet`: for kQuiet nothing authentic has come over `selected`. With one address of ours the
// priority of a pair (RFC 8445 section 6.1.2.3) grows with that of the peer's candidate, so the
// PRIORITY of the checks tells which pair is higher.
inline bool takes_over(const Nominated& other, const Nominated& selected, bool is_quiet) {
  if (other.generation != selected.generation) return other.generation > selected.generation;
  if (other.nomination != selected.nomination) return other.nomination > selected.nomination;
  return other.priority > selected.priority || is_quiet;
}

}  // namespace sluice::ice_lite
