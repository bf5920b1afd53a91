#include "candidate_line.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::nice {
namespace {

CandidateLine parsed(std::string_view text) {
  const auto line = parse_candidate(text);
  EXPECT_TRUE(line.has_value()) << text;
  return line.value_or(CandidateLine{});
}

TEST(CandidateLine, ReadsWhatChromiumWrites) {
  const auto line = parsed(
      "candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.17 rport "
      "50001 "
      "generation 0 ufrag EEtu network-id 3 network-cost 10");
  EXPECT_EQ(line.foundation, "842163049");
  EXPECT_EQ(line.component, 1);
  EXPECT_EQ(line.transport, CandidateTransport::udp);
  EXPECT_EQ(line.priority, 1677729535u);
  EXPECT_EQ(line.address, "203.0.113.7");
  EXPECT_EQ(line.port, 46154);
  EXPECT_EQ(line.type, CandidateType::server_reflexive);
  EXPECT_EQ(line.related_address, "10.0.0.17");
  EXPECT_EQ(line.related_port, 50001);
  EXPECT_EQ(line.ufrag, "EEtu");
}

TEST(CandidateLine, TakesAnSdpLineWithItsFrame) {
  EXPECT_EQ(parsed("a=candidate:0 1 UDP 2122252543 192.0.2.1 60000 typ host\r\n").port, 60000);
}

TEST(CandidateLine, ReadsIpv6AndNames) {
  EXPECT_EQ(parsed("candidate:1 1 UDP 1 2001:db8::1 5000 typ host").address, "2001:db8::1");
  EXPECT_EQ(parsed("candidate:1 1 UDP 1 a6b0c2.local 5000 typ host").address, "a6b0c2.local");
}

TEST(CandidateLine, ReadsTcpTypes) {
  const std::string start = "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype ";
  EXPECT_EQ(parsed(start + "active").transport, CandidateTransport::tcp_active);
  EXPECT_EQ(parsed(start + "passive").transport, CandidateTransport::tcp_passive);
  EXPECT_EQ(parsed(start + "so").transport, CandidateTransport::tcp_so);
}

TEST(CandidateLine, RefusesWhatIceDoesNotHave) {
  for (const auto* text : {"candidate:1 1 tcp 1 192.0.2.1 9 typ host",
                           "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype sideways",
                           "candidate:1 1 sctp 1 192.0.2.1 9 typ host",
                           "candidate:1 1 udp 1 192.0.2.1 9 typ imaginary"}) {
    const auto line = parse_candidate(text);
    ASSERT_FALSE(line.has_value()) << text;
    EXPECT_EQ(line.error(), CandidateProblem::unsupported) << text;
  }
}

TEST(CandidateLine, RefusesWhatIsNotTheGrammar) {
  for (const auto* text :
       {"",
        "candidate:",
        "a=candidate",
        "1 1 udp 1 192.0.2.1 9 typ host",
        "candidate:1 1 udp 1 192.0.2.1 9 typ",             // no type
        "candidate:1 1 udp 1 192.0.2.1 9 type host",       // another word
        "candidate:1 1 udp 1 192.0.2.1 9 typ host raddr",  // a name without a value
        "candidate:1 1 udp 1 192.0.2.1 9 typ host  x y",   // two spaces
        "candidate: 1 udp 1 192.0.2.1 9 typ host",         // no foundation
        "candidate:1-2 1 udp 1 192.0.2.1 9 typ host",      // no ice-char
        "candidate:123456789012345678901234567890123 1 udp 1 192.0.2.1 9 typ host",  // 33 of them
        "candidate:1 0 udp 1 192.0.2.1 9 typ host",                                  // component
        "candidate:1 257 udp 1 192.0.2.1 9 typ host",                                //
        "candidate:1 1 udp 0 192.0.2.1 9 typ host",                                  // priority
        "candidate:1 1 udp 2147483648 192.0.2.1 9 typ host",                         //
        "candidate:1 1 udp -1 192.0.2.1 9 typ host",                                 //
        "candidate:1 1 udp 1 192.0.2.1 65536 typ host",  // a port that would wrap
        "candidate:1 1 udp 1 192.0.2.1 9x typ host",     //
        "candidate:1 1 udp 1 fe80::1%eth0 9 typ host",   // a zone of another machine
        "candidate:1 1 udp 1 192.0.2.1 9 typ host rport 65536"}) {
    const auto line = parse_candidate(text);
    ASSERT_FALSE(line.has_value()) << text;
    EXPECT_EQ(line.error(), CandidateProblem::malformed) << text;
  }
}

TEST(CandidateLine, RefusesAZeroByteInAnAddress) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(parse_candidate("candidate:1 1 udp 1 192.0.2.1\0.x 9 typ host"sv).has_value());
}

}  // namespace
}  // namespace sluice::nice
