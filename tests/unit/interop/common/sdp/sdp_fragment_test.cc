// SDP fragments: those of the RFCs, and those that nobody should send.
#include "common/sdp/sdp_fragment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/sdp/answer_frame.h"
#include "unit/interop/common/sdp/offers.h"

namespace sluice::interop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

// RFC 9725 section 4.3.3, a restart.
std::string restart() {
  return "a=ice-options:trickle ice2\r\n"
         "a=group:BUNDLE 0 1\r\n"
         "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
         "a=mid:0\r\n"
         "a=ice-ufrag:ysXw\r\n"
         "a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n"
         "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw "
         "network-id 1\r\n"
         "a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0 ufrag "
         "EsAw network-id 2\r\n"
         "a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0 "
         "ufrag EsAw network-id 1\r\n"
         "a=candidate:2154773085 1 tcp 1518214911 198.51.100.2 9 typ host tcptype active "
         "generation 0 ufrag EsAw network-id 2\r\n";
}

// RFC 8840 section 4.4, with one candidate of each kind.
constexpr const char* kTwoSections =
    "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
    "a=ice-ufrag:8hhY\r\n"
    "m=audio 9 RTP/AVP 0\r\n"
    "a=mid:1\r\n"
    "a=candidate:1 1 UDP 2130706432 2001:db8:a0b:12f0::1 5000 typ host\r\n"
    "a=candidate:2 2 UDP 1694498815 192.0.2.3 5011 typ srflx raddr 192.0.2.1 rport 8998\r\n"
    "a=end-of-candidates\r\n"
    "m=audio 9 RTP/AVP 0\r\n"
    "a=mid:2\r\n"
    "a=candidate:1 1 UDP 2130706431 192.0.2.1 6010 typ host\r\n"
    "a=end-of-candidates\r\n";

std::string sentence(const std::string& text) {
  const auto fragment = read_fragment(text);
  return fragment ? "it was taken" : fragment.error().sentence;
}
bool is_candidate_taken(const std::string& value) {
  return read_fragment(restart() + "a=candidate:" + value + "\r\n").has_value();
}

TEST(SdpFragment, ReadsARestart) {
  const auto fragment = read_fragment(restart());
  ASSERT_TRUE(fragment) << fragment.error().sentence;
  EXPECT_EQ(fragment->ice.ufrag, "ysXw");
  EXPECT_EQ(fragment->ice.pwd, "vw5LmwG4y/e6dPP/zAP9Gp5k");
  EXPECT_EQ(fragment->candidates, 4U);
  EXPECT_FALSE(fragment->end_of_candidates);
}

TEST(SdpFragment, CredentialsMayStandAtTheSessionLevel) {
  const auto fragment = read_fragment(kTwoSections);
  ASSERT_TRUE(fragment) << fragment.error().sentence;
  EXPECT_EQ(fragment->ice.ufrag, "8hhY");
  EXPECT_EQ(fragment->candidates, 3U);
  EXPECT_TRUE(fragment->end_of_candidates);
  // RFC 8840 section 9.2: no section is needed.
  const auto bare = read_fragment(
      "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=end-of-candidates\r\n");
  ASSERT_TRUE(bare) << bare.error().sentence;
  EXPECT_TRUE(bare->end_of_candidates);
}

TEST(SdpFragment, ThoseOfASectionReplaceThoseOfTheSessionLevel) {
  const auto fragment =
      read_fragment("a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n" + restart());
  ASSERT_TRUE(fragment) << fragment.error().sentence;
  EXPECT_EQ(fragment->ice.ufrag, "ysXw");
}

TEST(SdpFragment, TakesOtherLineEndsAndCases) {
  std::string text = kTwoSections;
  std::erase(text, '\r');
  text.pop_back();
  EXPECT_TRUE(read_fragment(text));
  // RFC 8840 section 9.2: names of attributes.
  EXPECT_TRUE(read_fragment(with(kTwoSections, "a=ice-pwd", "a=ICE-Pwd")));
  EXPECT_EQ(read_fragment(with(kTwoSections, "a=candidate:1", "a=Candidate:1"))->candidates, 3U);
}

// RFC 8840 section 9.2: an agent must ignore them.
TEST(SdpFragment, IgnoresWhatItDoesNotKnow) {
  EXPECT_TRUE(read_fragment("a=new\r\na=newer:value:with:colons\r\n" + restart() + "a=newest\r\n"));
  EXPECT_TRUE(read_fragment(with(restart(), "a=mid:0\r\n", "a=rtcp-mux\r\na=mid:0\r\na=rtcp\r\n")));
  // Section 4.4: and the content of m= lines.
  EXPECT_TRUE(read_fragment(
      with(restart(), "m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=text 0/2 RTP/AVP 0 1 2 three")));
}

TEST(SdpFragment, NeedsCredentials) {
  for (const auto* line : {"a=ice-ufrag:ysXw\r\n", "a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n"}) {
    EXPECT_THAT(sentence(with(restart(), line, "")), HasSubstr("stand together")) << line;
    EXPECT_THAT(sentence(with(restart(), line, std::string{line} + line)),
                HasSubstr("stand together"));
  }
  EXPECT_EQ(sentence(""), "The fragment has no a=ice-ufrag and a=ice-pwd.");
  EXPECT_EQ(sentence("a=end-of-candidates\r\n"), "The fragment has no a=ice-ufrag and a=ice-pwd.");
  EXPECT_THAT(sentence(with(restart(), "ysXw", "ysX")), HasSubstr("no valid a=ice-ufrag"));
  EXPECT_THAT(sentence(with(restart(), "ysXw", std::string(257, 'x'))), HasSubstr("a=ice-ufrag"));
  EXPECT_THAT(sentence(with(restart(), "ysXw", "ys:w")), HasSubstr("a=ice-ufrag"));
  EXPECT_THAT(sentence(with(restart(), "vw5LmwG4y/e6dPP/zAP9Gp5k", "short")),
              HasSubstr("no valid a=ice-pwd"));
}

TEST(SdpFragment, OneTransportHasOneSetOfCredentials) {
  EXPECT_THAT(sentence(restart() + with(restart().substr(restart().find("m=")), "ysXw", "abcd")),
              HasSubstr("differ"));
  const auto without = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n";
  EXPECT_THAT(sentence(restart() + without), HasSubstr("differ"));
  EXPECT_THAT(sentence(without + restart()), HasSubstr("differ"));
}

// RFC 8840 section 4.4.
TEST(SdpFragment, CandidatesBelongToASection) {
  const std::string candidate = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n";
  EXPECT_THAT(sentence(candidate + kTwoSections), HasSubstr("after an m= line"));
  EXPECT_THAT(sentence("a=mid:1\r\n" + std::string{kTwoSections}), HasSubstr("after an m= line"));
  EXPECT_THAT(sentence(with(kTwoSections, "a=mid:1\r\n", "")), HasSubstr("a=mid"));
  EXPECT_THAT(sentence(with(kTwoSections, "a=mid:1\r\n", candidate + "a=mid:1\r\n")),
              HasSubstr("a=mid"));
  EXPECT_THAT(sentence(with(kTwoSections, "a=mid:1", "a=mid:")), HasSubstr("a=mid"));
  EXPECT_THAT(sentence(with(kTwoSections, "a=mid:1", "a=mid:1\r\na=mid:3")), HasSubstr("a=mid"));
}

// RFC 8839 section 5.1.
TEST(SdpFragment, TakesCandidatesOfAnyUse) {
  for (const auto* value :
       {"1 1 udp 1 192.0.2.1 9 typ host", "+/aB9 256 UDP 2147483647 ::1 65535 typ relay",
        "1 1 sctp 1 192.0.2.1 0 typ new", "1 1 udp 1 host.example 9 typ host",
        "1 1 udp 1 4f1c9e5a-7a9e-4a27-8f1a-1f5c1f6d0b6e.local 9 typ host",
        "1 1 udp 1 192.0.2.1 9 typ srflx raddr 0.0.0.0 rport 9",
        "1 1 udp 1 192.0.2.1 9 typ host ufrag  network-id 1",
        "1 1 tcp 1 192.0.2.1 9 TYP host tcptype active"}) {
    EXPECT_TRUE(is_candidate_taken(value)) << value;
  }
}

TEST(SdpFragment, RefusesMalformedCandidates) {
  for (const auto* value : {"",
                            " ",
                            "1",
                            "1 1 udp 1 192.0.2.1 9",
                            "1 1 udp 1 192.0.2.1 9 typ",
                            "1 1 udp 1 192.0.2.1 9 host",
                            " 1 udp 1 192.0.2.1 9 typ host",
                            "1 0 udp 1 192.0.2.1 9 typ host",
                            "1 257 udp 1 192.0.2.1 9 typ host",
                            "1 -1 udp 1 192.0.2.1 9 typ host",
                            "1 1 udp 0 192.0.2.1 9 typ host",
                            "1 1 udp 2147483648 192.0.2.1 9 typ host",
                            "1 1 udp 99999999999 192.0.2.1 9 typ host",
                            "1 1 udp 1 192.0.2.1 65536 typ host",
                            "1 1 udp 1 192.0.2.1 9x typ host",
                            "1 1 udp 1  9 typ host",
                            "1 1 u/d 1 192.0.2.1 9 typ host",
                            "a:b 1 udp 1 ::1 9 typ host",
                            "123456789012345678901234567890123 1 udp 1 ::1 9 typ host",
                            "1 1 udp 1 192.0.2.1 9 typ srflx raddr ::1 rport",
                            "1 1 udp 1 ::1 9 typ host a:b c",
                            "1 1 udp 1 192.0.2.1 9 typ srflx raddr ::1 rport 70000"}) {
    EXPECT_FALSE(is_candidate_taken(value)) << value;
  }
}

TEST(SdpFragment, RefusesOtherLines) {
  for (const auto* line : {"v=0",
                           "o=- 1 2 IN IP4 127.0.0.1",
                           "c=IN IP4 0.0.0.0",
                           "",
                           " ",
                           "a",
                           "a=",
                           "a=:x",
                           "a =x",
                           " a=x",
                           "a=b c:x",
                           "m=",
                           "m=audio",
                           "m=audio 9 RTP/AVP",
                           "m=audio x RTP/AVP 0",
                           "m=audio 65536 RTP/AVP 0",
                           "m=audio -1 RTP/AVP 0",
                           "hello",
                           "a=x\ty",
                           "a=x\x7f"}) {
    const auto text = restart() + line + "\r\n";
    EXPECT_THAT(sentence(text), StartsWith("Line 11 ")) << line;
    EXPECT_THAT(sentence(std::string{line} + "\r\n" + restart()), StartsWith("Line 1 ")) << line;
  }
  EXPECT_THAT(sentence(restart() + std::string("a=x\0y\r\n", 7)), StartsWith("Line 11 "));
  EXPECT_THAT(sentence("a=x\ry\r\n" + restart()), StartsWith("Line 1 "));
}

TEST(SdpFragment, IsBounded) {
  std::string lines = restart();
  for (std::size_t i = 10; i < kMaxFragmentLines; ++i) lines += "a=x\r\n";
  EXPECT_TRUE(read_fragment(lines));
  EXPECT_THAT(sentence(lines + "a=x\r\n"), HasSubstr("512 lines"));
  std::string large = restart() + "a=x:";
  large.append(kMaxFragment - large.size(), 'y');
  EXPECT_TRUE(read_fragment(large));
  EXPECT_THAT(sentence(large + "y"), HasSubstr("32768 bytes"));
}

// Each byte of a valid fragment in turn becomes another one: whatever is taken can be written.
TEST(SdpFragment, AnyByteMayBeWrong) {
  const std::string valid = restart();
  std::size_t refused = 0;
  for (std::size_t at = 0; at < valid.size(); ++at) {
    for (const char byte : {'\0', '\n', ' ', '=', ':', '9', '\xff'}) {
      std::string text = valid;
      text[at] = byte;
      const auto document = parse_fragment(text);
      if (!read_fragment(text)) ++refused;
      if (!document) continue;
      const auto again = parse_fragment(write_fragment(*document));
      ASSERT_TRUE(again) << text;
      EXPECT_THAT(again->media, SizeIs(document->media.size()));
    }
  }
  EXPECT_GT(refused, valid.size()) << "an octet that no line may have, at the least";
}

TEST(SdpFragment, IsWrittenAsItWasRead) {
  for (const std::string& text : {restart(), std::string{kTwoSections}}) {
    EXPECT_EQ(write_fragment(parse_fragment(text).value()), text);
  }
}

// RFC 9725 section 4.3.3: as in the answer, one section, and the same options.
TEST(SdpFragment, BeginsLikeTheAnswer) {
  const auto offer = read_offer(small_offer()).value();
  const AgentOptions agent{.ice_lite = true, .takes_trickle = true};
  const auto fragment = begin_fragment(offer, agent);
  EXPECT_EQ(write_fragment(fragment),
            "a=group:BUNDLE a v d\r\n"
            "a=ice-lite\r\n"
            "a=ice-options:ice2 trickle\r\n"
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
            "a=mid:a\r\n");
  const auto answer = begin_answer(offer, offer.transport, agent);
  for (const auto& [name, value] : fragment.attributes) {
    EXPECT_THAT(answer.attributes.all(name), ElementsAre(value));
  }
}

TEST(SdpFragment, BeginsWithTheSectionThatHasTheTransport) {
  const auto rejected = with(small_offer(), "m=audio 9", "m=audio 0");
  EXPECT_EQ(begin_fragment(read_offer(rejected).value(), {}).media.front().kind, "video");
  const auto alone = with(small_offer(), "a=group:BUNDLE a v d\r\n", "");
  const auto fragment = begin_fragment(read_offer(alone).value(), {});
  EXPECT_FALSE(fragment.attributes.has("group"));
  EXPECT_THAT(fragment.media, SizeIs(1));
}

}  // namespace
}  // namespace sluice::interop
