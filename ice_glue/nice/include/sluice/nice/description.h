// The transport's part of an SDP, which both sides exchange before the transport is set up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/protocol.h>
#include <sluice/nice/ice_options.h>

namespace sluice::nice {

// a=setup (RFC 4145 section 4, RFC 8842 section 5): active sends the ClientHello. An offer says
// actpass, an answer one of the others.
enum class Setup : std::uint8_t { actpass, active, passive };

std::string_view to_string(Setup setup);
// Empty for any other word, also for "holdconn", which WebRTC does not use.
std::optional<Setup> parse_setup(std::string_view word);

// One side's local_description() is the other side's remote description. An attribute at session
// level (a=fingerprint, a=setup, a=ice-ufrag, a=ice-pwd, a=tls-id) applies to each m= section that
// does not have its own: copy it into the Description.
struct Description {
  IceCredentials ice = {};                   // a=ice-ufrag, a=ice-pwd
  std::vector<std::string> candidates = {};  // "candidate:..."; an SDP line has "a=" before it
  bool end_of_candidates = false;            // a=end-of-candidates
  Setup setup = Setup::actpass;
  std::vector<dtls::Fingerprint> fingerprints = {};  // a=fingerprint
  std::string tls_id = {};                           // a=tls-id (RFC 8842 section 4); empty: none
  // a=cryptex (RFC 9335 section 4), which all RTP sections of a BUNDLE group have or none. Ours
  // says it where MediaTransportOptions::srtp has cryptex, unless it answers an offer without.
  bool cryptex = false;
};

}  // namespace sluice::nice
