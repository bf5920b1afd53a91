#include "common/sdp/sdp_offer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/interop/common/sdp/offers.h"

namespace sluice::interop {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

TEST(SdpOffer, ReadsChromium) {
  const auto offer = read_offer(browser_offer("chromium"));
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_THAT(offer->bundle, ElementsAre("0", "1", "2"));
  ASSERT_THAT(offer->sections, SizeIs(3));
  for (const auto& section : offer->sections) EXPECT_EQ(section.rejected, "");

  const auto& audio = offer->sections[0];
  EXPECT_EQ(audio.kind, SectionKind::audio);
  EXPECT_EQ(audio.mid, "0");
  EXPECT_EQ(audio.codec.payload_type, 111);
  EXPECT_EQ(audio.codec.rtpmap, "opus/48000/2");
  EXPECT_EQ(audio.codec.clock_rate, 48000U);
  EXPECT_EQ(audio.codec.parameters, "minptime=10;useinbandfec=1");
  EXPECT_EQ(audio.mid_extension, 4);

  const auto& video = offer->sections[1];
  EXPECT_EQ(video.kind, SectionKind::video);
  EXPECT_EQ(video.codec.payload_type, 96);
  EXPECT_EQ(video.codec.name, "VP8");
  EXPECT_TRUE(video.codec.has_feedback("nack pli"));
  EXPECT_TRUE(video.reduced_size_rtcp);

  const auto& data = offer->sections[2];
  EXPECT_EQ(data.kind, SectionKind::data);
  EXPECT_EQ(data.sctp_port, 5000);
  EXPECT_EQ(data.max_message_size, 262144U);

  const auto& transport = offer->transport;
  EXPECT_EQ(transport.ice.ufrag, "pchf");
  EXPECT_EQ(transport.ice.pwd, "SRIISAVfGcaX6md0MBQW3ONT");
  EXPECT_EQ(transport.setup, Setup::actpass);
  EXPECT_THAT(transport.candidates,
              ElementsAre(StartsWith("candidate:4251343163 1 udp 2122260223 127.0.0.1"),
                          StartsWith("candidate:63737263 1 tcp")));
  ASSERT_THAT(transport.fingerprints, SizeIs(1));
  EXPECT_THAT(transport.fingerprints[0].to_sdp(),
              AllOf(StartsWith("sha-256 A9:65:97:19:"), EndsWith(":4C:E6:F9")));
}

// Firefox has the fingerprint at session level, and another order of codec attributes.
TEST(SdpOffer, ReadsFirefox) {
  const auto offer = read_offer(browser_offer("firefox"));
  ASSERT_TRUE(offer) << offer.error().sentence;
  ASSERT_THAT(offer->sections, SizeIs(3));
  for (const auto& section : offer->sections) EXPECT_EQ(section.rejected, "");
  EXPECT_EQ(offer->sections[0].codec.payload_type, 109);
  EXPECT_EQ(offer->sections[0].mid_extension, 3);
  EXPECT_EQ(offer->sections[1].codec.payload_type, 120);
  EXPECT_EQ(offer->sections[1].codec.parameters, "max-fs=12288;max-fr=60");
  EXPECT_EQ(offer->sections[2].max_message_size, 1073741823U);
  EXPECT_EQ(offer->transport.ice.ufrag, "39bfde8f");
  ASSERT_THAT(offer->transport.fingerprints, SizeIs(1));
  EXPECT_THAT(offer->transport.fingerprints[0].to_sdp(), StartsWith("sha-256 38:E1:CF:"));
}

// RFC 9335 section 4: all RTP sections of a BUNDLE group, or none.
TEST(SdpOffer, CryptexOfAllRtpSections) {
  const auto cryptex = [](const std::string& text) { return read_offer(text)->transport.cryptex; };
  const auto one = with(small_offer(), "a=mid:a\r\n", "a=mid:a\r\na=cryptex\r\n");
  const auto both = with(one, "a=mid:v\r\n", "a=mid:v\r\na=cryptex\r\n");
  EXPECT_FALSE(cryptex(small_offer()));
  EXPECT_FALSE(cryptex(one));
  EXPECT_TRUE(cryptex(both));
  EXPECT_TRUE(cryptex(with(small_offer(), "a=setup", "a=cryptex\r\na=setup")));
  // A section that is rejected has no packets.
  EXPECT_TRUE(cryptex(with(one, "VP8/90000", "other/90000")));
  // Data has no header extensions.
  const auto data = both.substr(both.find("m=application"));
  const auto head = with(both.substr(0, both.find("m=audio")), "BUNDLE a v d", "BUNDLE d");
  EXPECT_FALSE(cryptex(with(head, "a=setup", "a=cryptex\r\na=setup") + data));
}

TEST(SdpOffer, TakesLineFeedsAlone) {
  std::string text = small_offer();
  std::erase(text, '\r');
  EXPECT_TRUE(read_offer(text));
}

TEST(SdpOffer, FeedbackForAllPayloadTypes) {
  const auto offer = read_offer(small_offer());
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_TRUE(offer->sections[1].codec.has_feedback("nack"));
}

TEST(SdpOffer, WhatIsCopiedForEachCodecIsBounded) {
  constexpr std::string_view kVideo = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n";
  const auto repeated =
      read_offer(with(small_offer(), kVideo, "m=video 9 UDP/TLS/RTP/SAVPF 96 97 96 96 97\r\n"));
  ASSERT_TRUE(repeated) << repeated.error().sentence;
  EXPECT_THAT(repeated->sections[1].codecs, SizeIs(2));

  constexpr std::string_view kRtx = "a=rtpmap:97 rtx/90000\r\n";
  const auto with_parameters = [&](std::size_t size) {
    return read_offer(with(small_offer(), kRtx,
                           std::string(kRtx) + "a=fmtp:97 " + std::string(size, ';') + "\r\n"));
  };
  EXPECT_THAT(with_parameters(512)->sections[1].codecs, SizeIs(2));
  EXPECT_THAT(with_parameters(513)->sections[1].codecs, SizeIs(1));

  constexpr std::string_view kFeedback = "a=rtcp-fb:* nack\r\n";
  std::string many;
  for (int i = 0; i < 1000; ++i) many += kFeedback;
  const auto with_feedback = read_offer(with(small_offer(), kFeedback, many));
  ASSERT_TRUE(with_feedback) << with_feedback.error().sentence;
  EXPECT_THAT(with_feedback->sections[1].codec.feedback, SizeIs(16));
}

TEST(SdpOffer, SectionLevelReplacesSessionLevel) {
  const auto offer =
      read_offer(with(small_offer(), "a=mid:a\r\n",
                      "a=mid:a\r\na=setup:passive\r\na=ice-ufrag:wxyz\r\n"
                      "a=fingerprint:sha-1 "
                      "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13\r\n"));
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_EQ(offer->transport.setup, Setup::passive);
  EXPECT_EQ(offer->transport.ice.ufrag, "wxyz");
  ASSERT_THAT(offer->transport.fingerprints, SizeIs(1));
  EXPECT_EQ(offer->transport.fingerprints[0].hash, dtls::HashAlgorithm::sha1);
}

TEST(SdpOffer, SeveralFingerprints) {
  const auto offer = read_offer(
      with(small_offer(), "a=fingerprint:",
           "a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\r\n"
           "a=fingerprint:md5 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F\r\na=fingerprint:"));
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_THAT(offer->transport.fingerprints, SizeIs(2));  // without the unknown hash
}

// RFC 9143 section 7.3.1: the first accepted section of the group describes the transport.
TEST(SdpOffer, TransportOfTheFirstAcceptedSection) {
  auto text = with(small_offer(), "a=rtpmap:111 opus/48000/2", "a=rtpmap:111 red/48000/2");
  text = with(text, "a=mid:v\r\n", "a=mid:v\r\na=ice-ufrag:video\r\n");
  text = with(text, "a=mid:d\r\n", "a=mid:d\r\na=ice-ufrag:data\r\n");
  const auto offer = read_offer(text);
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_THAT(offer->sections[0].rejected, HasSubstr("none of the codecs opus"));
  EXPECT_EQ(offer->transport.ice.ufrag, "video");
}

TEST(SdpOffer, GroupOrderDecides) {
  const auto offer = read_offer(with(with(small_offer(), "BUNDLE a v d", "BUNDLE d v a"),
                                     "a=mid:d\r\n", "a=mid:d\r\na=ice-ufrag:data\r\n"));
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_EQ(offer->transport.ice.ufrag, "data");
}

TEST(SdpOffer, RejectsWhatIsNotBundled) {
  const auto offer = read_offer(with(small_offer(), "BUNDLE a v d", "BUNDLE a d"));
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_TRUE(offer->sections[0].accepted());
  EXPECT_EQ(offer->sections[1].rejected, "it is not in the BUNDLE group");
  EXPECT_TRUE(offer->sections[2].accepted());
}

TEST(SdpOffer, WithoutGroupOneSection) {
  const auto offer = read_offer(without_line("a=group"));
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_TRUE(offer->sections[0].accepted());
  EXPECT_FALSE(offer->sections[1].accepted());
  EXPECT_FALSE(offer->sections[2].accepted());
}

TEST(SdpOffer, BundleOnlyHasPortZero) {
  const auto text = with(small_offer(), "m=video 9", "m=video 0");
  EXPECT_EQ(read_offer(text)->sections[1].rejected, "its port is 0");
  EXPECT_TRUE(read_offer(with(text, "a=mid:v\r\n", "a=mid:v\r\na=bundle-only\r\n"))
                  ->sections[1]
                  .accepted());
}

TEST(SdpOffer, CandidatesAreBounded) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "a=candidate:1 1 udp 1 127.0.0.1 1000 typ host\r\n";
  const auto offer = read_offer(with(small_offer(), "a=mid:a\r\n", "a=mid:a\r\n" + lines));
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_THAT(offer->transport.candidates, SizeIs(kMaxCandidates));
}

TEST(SdpOffer, Direction) {
  EXPECT_EQ(read_offer(small_offer())->sections[0].direction, Direction::sendrecv);
  EXPECT_EQ(read_offer(with(small_offer(), "a=mid:a\r\n", "a=mid:a\r\na=recvonly\r\n"))
                ->sections[0]
                .direction,
            Direction::recvonly);
}

// RFC 9429 section 5.1.2.
TEST(SdpOffer, TakesWhateverMeansDtlsSrtp) {
  for (const auto* protocol :
       {"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "TCP/DTLS/RTP/SAVPF",
        "TCP/DTLS/RTP/SAVP", "RTP/AVPF", "RTP/AVP", "TCP/TLS/RTP/SAVPF"}) {
    const auto offer = read_offer(with(small_offer(), "UDP/TLS/RTP/SAVPF", protocol));
    ASSERT_TRUE(offer) << offer.error().sentence;
    EXPECT_EQ(offer->sections[0].rejected, "");
    EXPECT_EQ(offer->sections[0].protocol, protocol);
  }
}

TEST(SdpOffer, TakesDataChannelsAsBeforeRfc8841) {
  for (const auto* protocol : {"DTLS/SCTP", "UDP/DTLS/SCTP"}) {
    auto text =
        with(small_offer(), "UDP/DTLS/SCTP webrtc-datachannel", std::string(protocol) + " 5001");
    text = with(text, "a=sctp-port:5000", "a=sctpmap:5001 webrtc-datachannel 65535");
    const auto offer = read_offer(text);
    ASSERT_TRUE(offer) << offer.error().sentence;
    const auto& data = offer->sections[2];
    EXPECT_EQ(data.rejected, "");
    EXPECT_TRUE(data.has_sctpmap);
    EXPECT_EQ(data.sctp_port, 5001);
    EXPECT_EQ(data.max_message_size, 65536U);
  }
  EXPECT_NE(
      read_offer(with(small_offer(), "SCTP webrtc-datachannel", "SCTP 5000"))->sections[2].rejected,
      "")
      << "no a=sctpmap";
}

// draft-hancke-tsvwg-snap. A malformed chunk counts as none: the handshake remains.
TEST(SdpOffer, SctpInit) {
  const auto offered = [](std::string_view line) {
    const auto offer = read_offer(small_offer() + std::string{line});
    return offer && offer->sections[2].accepted() ? offer->sections[2].sctp_init : dtls::Buffer(1);
  };
  EXPECT_THAT(offered("a=sctp-init:AQAAHgAMbPAAUAAA/////xdlRzvAAAAEgAgABoLA\r\n"),
              testing::SizeIs(30));
  EXPECT_THAT(offered(""), testing::IsEmpty());
  EXPECT_THAT(offered("a=sctp-init\r\n"), testing::IsEmpty());
  EXPECT_THAT(offered("a=sctp-init:AQAAHg==\r\n"), testing::IsEmpty());
  EXPECT_THAT(offered("a=sctp-init:no base64\r\n"), testing::IsEmpty());
}

TEST(SdpOffer, ReadsTheOptionOfDtlsInStun) {
  const auto offers = [](const std::string& sdp) {
    const auto offer = read_offer(sdp);
    return offer && offer->dtls_in_stun;
  };
  EXPECT_FALSE(offers(small_offer()));
  const std::string option = "a=ice-options:trickle sped googspedv1\r\n";
  EXPECT_TRUE(offers(with(small_offer(), "a=setup:actpass\r\n", "a=setup:actpass\r\n" + option)));
  EXPECT_TRUE(offers(with(small_offer(), "a=mid:a\r\n", "a=mid:a\r\n" + option)));
  EXPECT_FALSE(offers(
      with(small_offer(), "a=mid:a\r\n", "a=mid:a\r\na=ice-options:trickle googspedv12\r\n")));
}

// RFC 3551 section 6.
TEST(SdpOffer, KnowsStaticPayloadTypes) {
  const auto offer = read_offer(
      with(with(small_offer(), "SAVPF 111", "SAVPF 8 0 9"), "a=rtpmap:111 opus/48000/2\r\n", ""));
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_EQ(offer->sections[0].rejected, "");
  EXPECT_EQ(offer->sections[0].codec.payload_type, 0);
  EXPECT_EQ(offer->sections[0].codec.rtpmap, "PCMU/8000");
  EXPECT_EQ(offer->sections[0].codec.clock_rate, 8000U);
  // An a=rtpmap counts more (section 3).
  const auto mapped =
      read_offer(with(with(small_offer(), "SAVPF 111", "SAVPF 0"), "a=rtpmap:111", "a=rtpmap:0"));
  ASSERT_TRUE(mapped) << mapped.error().sentence;
  EXPECT_EQ(mapped->sections[0].codec.name, "opus");
}

TEST(SdpOffer, TakesCredentialsInOtherBase64) {
  const auto offer =
      read_offer(with(with(small_offer(), "ufrag:abcd", "ufrag:a-_=#"), "pwd:0123", "pwd:=-_#"));
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_EQ(offer->transport.ice.ufrag, "a-_=#");
  EXPECT_THAT(offer->transport.ice.pwd, StartsWith("=-_#"));
}

TEST(SdpOffer, TakesABlankBehindTheFingerprint) {
  EXPECT_EQ(read_offer(with(small_offer(), ":E6:F9", ":E6:F9 "))->transport.fingerprints,
            read_offer(small_offer())->transport.fingerprints);
}

TEST(SdpOffer, TakesTheSectionsOfAMeeting) {
  auto text = small_offer();
  std::string mids = "BUNDLE a v d";
  for (int i = 0; i < 100; ++i) {
    const auto mid = "m" + std::to_string(i);
    mids += " " + mid;
    text += "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:" + mid +
            "\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n";
  }
  const auto offer = read_offer(with(text, "BUNDLE a v d", mids));
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_THAT(offer->sections, SizeIs(103));
  for (const auto& section : offer->sections) EXPECT_EQ(section.rejected, "");
}

struct BadOffer {
  const char* name;
  std::string text;
  const char* sentence;  // a part of it
};

std::ostream& operator<<(std::ostream& out, const BadOffer& bad) { return out << bad.name; }

class SdpOfferError : public testing::TestWithParam<BadOffer> {};

TEST_P(SdpOfferError, SaysWhatIsWrong) {
  const auto offer = read_offer(GetParam().text);
  ASSERT_FALSE(offer);
  EXPECT_THAT(offer.error().sentence, AllOf(HasSubstr(GetParam().sentence), EndsWith(".")));
}

std::string many_sections() {
  std::string text = small_offer();
  for (int i = 0; i < 126; ++i) text += "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n";
  return text;
}

std::string nothing_to_echo() {
  const auto text = without_line("a=group");
  return with(text.substr(0, text.find("m=video")), "UDP/TLS/RTP/SAVPF", "TCP/RTP/AVP");
}

INSTANTIATE_TEST_SUITE_P(
    , SdpOfferError,
    testing::Values(
        BadOffer{"Empty", "", "not SDP"}, BadOffer{"Word", "hello", "not SDP"},
        BadOffer{"Json", R"({"type":"offer","sdp":"v=0"})", "not SDP"},
        BadOffer{"Nul", small_offer() + std::string(1, '\0'), "NUL"},
        BadOffer{"Version", with(small_offer(), "v=0", "v=1"), "v=0"},
        BadOffer{"NoVersion", without_line("v=0"), "v=0"},
        BadOffer{"NoMedia", "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", "no media"},
        BadOffer{"ShortMedia", "v=0\r\nm=audio\r\n", "Media section 1 does not read"},
        BadOffer{"NoFormat", with(small_offer(), "m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=audio 9 x"),
                 "Media section 1 does not read"},
        BadOffer{"Port", with(small_offer(), "m=video 9 ", "m=video 99999 "),
                 "Media section 2 does not read"},
        BadOffer{"ManySections", many_sections(), "at most 128"},
        BadOffer{"SameMid", with(small_offer(), "a=mid:v", "a=mid:a"), "same a=mid:a"},
        BadOffer{"UnknownMid", with(small_offer(), "BUNDLE a v d", "BUNDLE a x"), "names x"},
        BadOffer{"TwiceInGroup", with(small_offer(), "BUNDLE a v d", "BUNDLE a a"), "a twice"},
        BadOffer{"NoUfrag", without_line("a=ice-ufrag"), "a=ice-ufrag"},
        BadOffer{"ShortUfrag", with(small_offer(), "ice-ufrag:abcd", "ice-ufrag:abc"),
                 "a=ice-ufrag"},
        BadOffer{"UfragCharacters", with(small_offer(), "ice-ufrag:abcd", "ice-ufrag:ab:d"),
                 "a=ice-ufrag"},
        BadOffer{"LongUfrag",
                 with(small_offer(), "ice-ufrag:abcd", "ice-ufrag:" + std::string(257, 'x')),
                 "a=ice-ufrag"},
        BadOffer{"NoPassword", without_line("a=ice-pwd"), "a=ice-pwd"},
        BadOffer{"ShortPassword", with(small_offer(), "pwd:0123456789012345678901", "pwd:01234567"),
                 "a=ice-pwd"},
        BadOffer{"NoFingerprint", without_line("a=fingerprint"), "has no a=fingerprint"},
        BadOffer{"ShortFingerprint", with(small_offer(), "A9:65:97:", "A9:65:"), "malformed"},
        BadOffer{"FingerprintDigits", with(small_offer(), "A9:65", "G9:65"), "malformed"},
        BadOffer{"FingerprintWithoutValue",
                 with(without_line("a=fingerprint"), "t=0 0", "t=0 0\r\na=fingerprint:sha-256"),
                 "malformed"},
        BadOffer{"UnknownHash", with(small_offer(), "sha-256", "md2"), "known hash"},
        BadOffer{"NoSetup", without_line("a=setup"), "needs a=setup"},
        BadOffer{"HoldConnection", with(small_offer(), "setup:actpass", "setup:holdconn"),
                 "holdconn"},
        BadOffer{"NothingToEcho", nothing_to_echo(), "its protocol is TCP/RTP/AVP"}),
    [](const auto& param_info) { return std::string{param_info.param.name}; });

// Offers of browsers, truncated and with bytes changed: each is either read or refused, without
// undefined behaviour (ASan, UBSan).
TEST(SdpOffer, DamagedOffers) {
  for (const auto* browser : {"chromium", "firefox"}) {
    const std::string text = browser_offer(browser);
    std::size_t refused = 0;
    for (std::size_t cut = 0; cut < text.size(); cut += 61) {
      if (const auto offer = read_offer(text.substr(0, cut)); !offer) {
        ++refused;
        EXPECT_FALSE(offer.error().sentence.empty());
      }
      std::string damaged = text;
      damaged[cut] = static_cast<char>(damaged[cut] ^ (1 << (cut % 8)));
      if (const auto offer = read_offer(damaged)) {
        EXPECT_FALSE(offer->sections.empty());
      }
    }
    EXPECT_GT(refused, 0U);
  }
}

}  // namespace
}  // namespace sluice::interop
