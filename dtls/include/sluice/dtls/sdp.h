// What SDP says about DTLS: a=fingerprint (RFC 8122) and a=setup (RFC 4145, RFC 8842).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

// The fingerprints of all lines "a=fingerprint:..." of `sdp`, a media section or the part before
// the first one, with or without the other lines; lines end with CRLF or LF. Lines with an unknown
// hash or a malformed value are skipped, because they are alternatives (RFC 8122 section 5.1).
std::vector<Fingerprint> fingerprints_in(std::string_view sdp);

// Our role by the peer's a=setup: "active" makes us the server, "passive" the client, "actpass"
// leaves the choice to us. Empty for "holdconn" and other words (RFC 8842 section 5).
std::optional<Role> role_by_setup(std::string_view peers_setup, Role if_free = Role::client);

}  // namespace sluice::dtls
