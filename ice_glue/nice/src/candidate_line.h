// One SDP candidate attribute (RFC 8839 section 5.1), read strictly.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sluice/nice/ice_state.h>
#include <tl/expected.hpp>

namespace sluice::nice {

enum class CandidateTransport : std::uint8_t { udp, tcp_active, tcp_passive, tcp_so };

struct CandidateLine {
  std::string foundation;  // 1 to 32 ice-char
  std::uint16_t component = 1;
  CandidateTransport transport = CandidateTransport::udp;
  std::uint32_t priority = 0;
  std::string address;  // an IP literal, or a name (mDNS candidates of browsers)
  std::uint16_t port = 0;
  CandidateType type = CandidateType::host;
  std::string related_address;  // empty: none
  std::uint16_t related_port = 0;
  std::string ufrag;  // the generation it belongs to (RFC 8838 section 9); empty: not said
};

enum class CandidateProblem : std::uint8_t {
  malformed,    // not the grammar
  unsupported,  // good grammar, but a transport or type that isn't ICE's UDP or TCP
};

// `line` is "candidate:...", also with "a=" before and a line end after it. libnice's own parser
// accepts almost anything, truncates ports to 16 bits and logs a warning about a tcp candidate
// without tcptype, so candidates of the peer's are parsed here first.
tl::expected<CandidateLine, CandidateProblem> parse_candidate(std::string_view line);

}  // namespace sluice::nice
