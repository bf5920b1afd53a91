// The part of an SDP that is about the transport.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/dtls/fingerprint.h>
#include <sluice/ice_lite/session.h>

namespace sluice::interop {

// a=setup (RFC 4145 section 4, RFC 8842 section 5): active sends the ClientHello. An offer says
// actpass, an answer one of the others.
enum class Setup : std::uint8_t { actpass, active, passive };

inline constexpr std::array<std::string_view, 3> kSetupWords = {"actpass", "active", "passive"};

constexpr std::string_view to_string(Setup setup) {
  return kSetupWords.at(static_cast<std::size_t>(setup));
}
// Empty for any other word, also for "holdconn", which WebRTC does not use.
constexpr std::optional<Setup> parse_setup(std::string_view word) {
  for (const auto setup : {Setup::actpass, Setup::active, Setup::passive}) {
    if (word == to_string(setup)) return setup;
  }
  return std::nullopt;
}

struct TransportDescription {
  ice_lite::Credentials ice = {};            // a=ice-ufrag, a=ice-pwd
  std::vector<std::string> candidates = {};  // "candidate:..."; an SDP line has "a=" before it
  bool end_of_candidates = false;            // a=end-of-candidates
  Setup setup = Setup::actpass;
  std::vector<dtls::Fingerprint> fingerprints = {};  // a=fingerprint
  std::string tls_id = {};                           // a=tls-id (RFC 8842 section 4); empty: none
  bool cryptex = false;  // a=cryptex of all RTP sections (RFC 9335 section 4)
};

// What a transport does that answers this offer: cryptex where both sides can do it.
inline srtp::Cryptex answer_cryptex(const TransportDescription& offer) {
  return offer.cryptex && srtp::has_cryptex() ? srtp::Cryptex::on : srtp::Cryptex::off;
}

}  // namespace sluice::interop
