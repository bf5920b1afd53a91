// The SDP of a lite agent (RFC 8839).
#include <sluice/ice_lite/description.h>

#include <gtest/gtest.h>

namespace sluice::ice_lite {
namespace {

// RFC 8445 section 5.1.2.1: 2^24 * 126 + 2^8 * 65535 + 255. RFC 5952: the address.
TEST(LiteDescription, HasACandidateForEachAddress) {
  const AnnouncedAddress addresses[] = {
      {{dtls::Ipv6Address{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd}, 443}},
      {{dtls::Ipv4Address{192, 0, 2, 17}, 40000}}};
  EXPECT_EQ(media_lines({.ufrag = "abcd", .pwd = "0123456789012345678901"}, addresses),
            "a=ice-ufrag:abcd\r\n"
            "a=ice-pwd:0123456789012345678901\r\n"
            "a=candidate:65535 1 udp 2130706431 2001:db8::abcd 443 typ host\r\n"
            "a=candidate:65534 1 udp 2130706175 192.0.2.17 40000 typ host\r\n"
            "a=end-of-candidates\r\n");
}

// RFC 6544 section 4.2: local preferences 2^13 * 4 + other-pref; sections 4.5 and 3 the line.
TEST(LiteDescription, HasPassiveCandidatesOfTcpBelowAllOfUdp) {
  const dtls::UdpEndpoint address{dtls::Ipv4Address{192, 0, 2, 17}, 443};
  const AnnouncedAddress addresses[] = {{address}, {address, CandidateTransport::tcp_passive}};
  const auto lines = media_lines({.ufrag = "abcd", .pwd = "0123456789012345678901"}, addresses);
  constexpr unsigned kPriority = (90U << 24) + (((4U << 13) + 8190U) << 8) + 255U;
  EXPECT_NE(lines.find("a=candidate:tcp65534 1 TCP " + std::to_string(kPriority) +
                       " 192.0.2.17 443 typ host tcptype passive\r\n"),
            std::string::npos)
      << lines;
  // The lowest of UDP, and the highest of TCP.
  EXPECT_EQ(candidate(addresses[0], 0), "candidate:0 1 udp 2113929471 192.0.2.17 443 typ host");
  EXPECT_EQ(candidate(addresses[1], 8191),
            "candidate:tcp8191 1 TCP 1520435199 192.0.2.17 443 typ host tcptype passive");
}

TEST(LiteDescription, SaysThatTheAgentIsLite) {
  EXPECT_EQ(kSessionLines, "a=ice-lite\r\na=ice-options:ice2\r\n");
}

}  // namespace
}  // namespace sluice::ice_lite
