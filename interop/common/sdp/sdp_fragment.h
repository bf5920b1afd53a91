// SDP fragments: what PATCH carries for Trickle ICE and ICE restarts (RFC 8840 section 9, RFC 9725
// section 4.3), as application/trickle-ice-sdpfrag.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <sluice/ice_lite/session.h>

#include "common/sdp/sdp_document.h"

namespace sluice::interop {

// Larger fragments are refused, in bytes and lines. A host with a dozen interfaces has some 60
// candidates of 150 bytes.
inline constexpr std::size_t kMaxFragment = 32768;
inline constexpr std::size_t kMaxFragmentLines = 512;

// Strict: each line is a=<attribute> or m=<media> <port> <proto> <fmt>, whose m= lines are pseudo
// ones (RFC 8840 section 4.4). Names of attributes are in lower case in the result. `text` may be
// any bytes; lines end with CRLF or LF.
SdpResult<SdpDocument> parse_fragment(std::string_view text);
// With CRLF.
std::string write_fragment(const SdpDocument& fragment);

// What a fragment says about one transport, which all its sections share.
struct IceFragment {
  ice_lite::Credentials ice;  // of the sender: RFC 8840 section 4.4 wants them in every fragment
  std::size_t candidates = 0;
  bool end_of_candidates = false;
};

// Candidates must have the form of RFC 8839 section 5.1, whether or not their addresses and
// transports are of any use, and a=mid before them.
SdpResult<IceFragment> read_fragment(std::string_view text);

}  // namespace sluice::interop
