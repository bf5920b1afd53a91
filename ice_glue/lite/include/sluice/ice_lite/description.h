// What the SDP of a lite agent says about ICE (RFC 8839).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <sluice/dtls/udp_endpoint.h>
#include <sluice/ice_lite/session.h>

namespace sluice::ice_lite {

// For the session level of the SDP, with CRLF (RFC 8839 sections 5.3 and 5.6): the agent is lite,
// and conforms to RFC 8445.
inline constexpr std::string_view kSessionLines = "a=ice-lite\r\na=ice-options:ice2\r\n";

// DTLS in STUN (SessionOptions::dtls_in_stun), as libwebrtc names it: a token of a=ice-options. If
// the offer has it, use kSessionLinesWithDtlsInStun in place of kSessionLines.
inline constexpr std::string_view kDtlsInStunOption = "googspedv1";
inline constexpr std::string_view kSessionLinesWithDtlsInStun =
    "a=ice-lite\r\na=ice-options:ice2 googspedv1\r\n";

enum class CandidateTransport : std::uint8_t {
  udp,
  // The peer opens a connection (RFC 6544, tcptype passive), such as to a tcp::Listener.
  tcp_passive,
};

// An address that peers reach the server's port at. Behind a NAT with a port of its own for this
// one (NAT 1:1), that is the public address and port. All are host candidates: a lite agent has no
// others (RFC 8445 section 5.2).
struct AnnouncedAddress {
  dtls::UdpEndpoint address;
  CandidateTransport transport = CandidateTransport::udp;
};

// The value of one a=candidate line (RFC 8839 section 5.1, RFC 6544 section 4.5), without "a=":
// component 1, type host. `preference` is the local preference (RFC 8445 section 5.1.2.1), of TCP
// its low 13 bits with that of a passive candidate above them (RFC 6544 section 4.2). It also makes
// the foundation: no two candidates of a session with the same transport may have the same. Any UDP
// candidate has a higher priority than any of TCP.
std::string candidate(const AnnouncedAddress& announced, std::uint16_t preference);

// The lines of a media section, each with CRLF: a=ice-ufrag, a=ice-pwd, an a=candidate for each
// address, the preferred one first, and a=end-of-candidates (RFC 8840). For IPv4 and IPv6 addresses
// RFC 8421 recommends to begin with IPv6 and to alternate.
std::string media_lines(const Credentials& local, std::span<const AnnouncedAddress> announced);

}  // namespace sluice::ice_lite
