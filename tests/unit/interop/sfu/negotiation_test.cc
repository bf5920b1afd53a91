#include "sfu/signalling/negotiation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/interop/common/sdp/offers.h"

namespace sluice::interop::sfu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

rtp::Ssrc next_ssrc() {
  static std::uint32_t last = 1000;
  return rtp::Ssrc{++last};
}

// Without the data section.
std::string media_of(const std::string& offer) {
  auto media = offer.substr(0, offer.find("m=application"));
  const auto group = media.find("a=group:BUNDLE");
  const auto end = media.find("\r\n", group);
  return media.substr(0, media.rfind(' ', end)) + media.substr(end);
}
std::string offer_of(const std::string& browser) { return media_of(browser_offer(browser)); }
std::string small_media() { return media_of(small_offer()); }

std::string fault_of_publishing(const std::string& sdp) {
  const auto offer = read_offer(sdp);
  if (!offer) return offer.error().sentence;
  const auto agreement = agree_on_publishing(*offer);
  return agreement ? "" : agreement.error().sentence;
}

TransportDescription our_transport() {
  return {.ice = {.ufrag = "ours", .pwd = "abcdefghijklmnopqrstuvwx"},
          .candidates = {"candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host"},
          .setup = Setup::passive,
          .fingerprints = {{.hash = dtls::HashAlgorithm::sha1, .value = dtls::Buffer(20)}}};
}

SdpDocument publishers_answer(const std::string& sdp) {
  const auto offer = read_offer(sdp).value();
  return parse_sdp(
             write_answer(offer, agree_on_publishing(offer).value().answer, our_transport(), 7))
      .value();
}
SdpDocument viewers_answer(const std::string& sdp) {
  auto offer = read_offer(sdp).value();
  const auto agreement = agree_on_viewing(offer, next_ssrc).value();
  return parse_sdp(write_answer(offer, agreement.answer, our_transport(), 7)).value();
}

TEST(Publishing, BrowsersSendWhatTheyPrefer) {
  for (const auto* browser : {"chromium", "firefox"}) {
    const auto offer = read_offer(offer_of(browser)).value();
    const auto agreement = agree_on_publishing(offer);
    ASSERT_TRUE(agreement) << agreement.error().sentence;
    ASSERT_THAT(agreement->parts, SizeIs(2));
    const PublishedTrack& audio = agreement->parts[0];
    const PublishedTrack& video = agreement->parts[1];
    EXPECT_EQ(audio.format->name, "opus");
    EXPECT_EQ(video.format->name, "VP8");
    EXPECT_EQ(video.mid, offer.sections[1].mid);
    EXPECT_TRUE(video.payload_types.at(offer.sections[1].codec.payload_type));
    ASSERT_TRUE(audio.mid_extension);
    EXPECT_EQ(rtp::number(*audio.mid_extension), *offer.sections[0].mid_extension);
  }
}

TEST(Publishing, TheAnswerReceivesOneCodec) {
  const auto answer = publishers_answer(offer_of("chromium"));
  ASSERT_THAT(answer.media, SizeIs(2));
  EXPECT_TRUE(answer.attributes.has("ice-lite"));
  EXPECT_EQ(answer.attributes.find("group"), "BUNDLE 0 1");
  const auto& video = answer.media[1];
  EXPECT_THAT(video.formats, ElementsAre("96"));
  EXPECT_TRUE(video.attributes.has("recvonly"));
  EXPECT_TRUE(video.attributes.has("rtcp-mux"));
  EXPECT_TRUE(video.attributes.has("rtcp-mux-only"));
  EXPECT_EQ(video.attributes.find("setup"), "passive");
  // Feedback that the server gives, and nothing that it doesn't.
  EXPECT_THAT(video.attributes.all("rtcp-fb"),
              ElementsAre("96 nack", "96 nack pli", "96 transport-cc"));
  EXPECT_THAT(video.attributes.all("extmap"),
              ElementsAre("13 urn:3gpp:video-orientation",
                          "3 http://www.ietf.org/id/"
                          "draft-holmer-rmcat-transport-wide-cc-extensions-01",
                          "4 urn:ietf:params:rtp-hdrext:sdes:mid"));
  EXPECT_FALSE(video.attributes.has("ssrc"));
}

// RFC 9725 section 4.4.3: all of the offer or nothing.
TEST(Publishing, WhatCannotBePublishedIsRefused) {
  EXPECT_EQ(fault_of_publishing(small_media()), "");
  EXPECT_THAT(
      fault_of_publishing(with(small_offer(), "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
                               "m=message 9 UDP/TLS/MSRP *")),
      HasSubstr("its media is message"));
  EXPECT_THAT(fault_of_publishing(with(small_media(), "opus/48000/2", "opus/48000/1")),
              HasSubstr("none of the codecs opus"));
  EXPECT_THAT(fault_of_publishing(with(small_media(), "VP8/90000", "H265/90000")),
              HasSubstr("none of the codecs"));
  EXPECT_THAT(fault_of_publishing(with(small_media(), "a=mid:v\r\n", "a=mid:v\r\na=recvonly\r\n")),
              HasSubstr("a=sendonly"));
  EXPECT_THAT(fault_of_publishing(with(small_media(), "a=mid:v\r\n", "a=mid:v\r\na=inactive\r\n")),
              HasSubstr("a=sendonly"));
  auto twice = with(small_media(), "m=video 9 UDP/TLS/RTP/SAVPF 96 97", "m=audio 9 RTP/SAVPF 96");
  twice = with(with(twice, "a=rtcp-fb:* nack\r\n", ""), "VP8/90000", "opus/48000/2");
  EXPECT_THAT(fault_of_publishing(twice), HasSubstr("Only one audio section"));
  EXPECT_THAT(fault_of_publishing(with(small_media(), "BUNDLE a v", "BUNDLE a")),
              HasSubstr("BUNDLE"));
}

TEST(Viewing, BrowsersCanReceiveAllTheirCodecs) {
  const auto answer = viewers_answer(with(offer_of("chromium"), "a=sendrecv", "a=recvonly"));
  ASSERT_THAT(answer.media, SizeIs(2));
  const auto& video = answer.media[1];
  EXPECT_TRUE(video.attributes.has("sendonly"));
  std::string names;
  for (const auto rtpmap : video.attributes.all("rtpmap")) names += std::string{rtpmap} + ", ";
  for (const auto* name : {"VP8/90000", "VP9/90000", "H264/90000", "AV1/90000"}) {
    EXPECT_THAT(names, HasSubstr(name));
  }
  EXPECT_THAT(names, HasSubstr("rtx/90000"));
  EXPECT_THAT(video.attributes.find("ssrc").value_or(""), HasSubstr(" cname:" + cname_of(0)));
}

TEST(Viewing, SectionsAreSeats) {
  const std::string more =
      "m=video 9 UDP/TLS/RTP/SAVPF 100\r\na=mid:w\r\na=rtcp-mux\r\na=rtpmap:100 VP8/90000\r\n";
  auto offer = read_offer(with(small_media(), "BUNDLE a v", "BUNDLE a v w") + more).value();
  const auto agreement = agree_on_viewing(offer, next_ssrc);
  ASSERT_TRUE(agreement) << agreement.error().sentence;
  ASSERT_THAT(agreement->parts, SizeIs(3));
  EXPECT_EQ(agreement->parts[0].seat, 0U);
  EXPECT_EQ(agreement->parts[1].seat, 0U);
  EXPECT_EQ(agreement->parts[2].seat, 1U);
  EXPECT_NE(agreement->parts[1].ssrc, agreement->parts[2].ssrc);
  EXPECT_TRUE(agreement->parts[1].has_nack);
  EXPECT_FALSE(agreement->parts[2].has_nack);
}

TEST(Viewing, SectionsAreLimited) {
  const auto offer_with = [](std::size_t videos) {
    std::string group = "BUNDLE a v";
    std::string more;
    for (std::size_t i = 0; i < videos; ++i) {
      group += " w" + std::to_string(i);
      more += "m=video 9 UDP/TLS/RTP/SAVPF 100\r\na=mid:w" + std::to_string(i) +
              "\r\na=rtcp-mux\r\na=rtpmap:100 VP8/90000\r\n";
    }
    return read_offer(with(small_media(), "BUNDLE a v", group) + more).value();
  };
  auto most = offer_with(kMaxViewedStreams - 2);
  EXPECT_TRUE(agree_on_viewing(most, next_ssrc));
  auto too_many = offer_with(kMaxViewedStreams - 1);
  const auto refused = agree_on_viewing(too_many, next_ssrc);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().sentence, HasSubstr("32"));
}

// small_offer() has a NACK, and RTX without the a=fmtp that says what for.
TEST(Viewing, RtxWhereEachCodecHasIt) {
  const auto agreed = [](const std::string& sdp) {
    auto offer = read_offer(sdp).value();
    return agree_on_viewing(offer, next_ssrc).value().parts[1];
  };
  EXPECT_FALSE(agreed(small_media()).rtx);
  const auto with_rtx = with(small_media(), "a=rtpmap:97 rtx/90000\r\n",
                             "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n");
  const auto stream = agreed(with_rtx);
  ASSERT_TRUE(stream.rtx);
  EXPECT_NE(stream.rtx->ssrc, stream.ssrc);
  const Format& vp8 = *format_of(SectionKind::video, {.payload_type = 96,
                                                      .name = "VP8",
                                                      .clock_rate = 90'000,
                                                      .rtpmap = "VP8/90000",
                                                      .parameters = {},
                                                      .feedback = {}});
  EXPECT_EQ(stream.rtx->payload_types.at(rtp::number(vp8.payload_type)), rtp::PayloadType{97});
  const auto video = viewers_answer(with_rtx).media[1];
  EXPECT_THAT(video.formats, ElementsAre("96", "97"));
  EXPECT_THAT(video.attributes.all("ssrc-group"), SizeIs(1));
  EXPECT_THAT(video.attributes.all("ssrc"), SizeIs(4));
  // Then not for one alone.
  const auto partly = with(with(with_rtx, "SAVPF 96 97", "SAVPF 96 97 98"), "a=rtpmap:97",
                           "a=rtpmap:98 VP9/90000\r\na=rtpmap:97");
  EXPECT_FALSE(agreed(partly).rtx);
}

TEST(Viewing, WhatCannotBeWatchedIsRejected) {
  const auto answer = viewers_answer(with(small_offer(), "webrtc-datachannel", "something-else"));
  ASSERT_THAT(answer.media, SizeIs(3));
  EXPECT_EQ(answer.media[2].port, 0U);
  EXPECT_EQ(answer.attributes.find("group"), "BUNDLE a v");
  auto sending =
      read_offer(with(small_media(), "a=mid:v\r\n", "a=mid:v\r\na=sendonly\r\n")).value();
  const auto refused = agree_on_viewing(sending, next_ssrc);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().sentence, HasSubstr("a=recvonly"));
}

// ---- data channels

// RFC 9335 section 4.
TEST(Negotiation, CryptexStandsInAllRtpSections) {
  const auto offer = read_offer(small_offer()).value();
  const auto agreed = agree_on_publishing(offer).value().answer;
  for (const bool cryptex : {true, false}) {
    auto transport = our_transport();
    transport.cryptex = cryptex;
    const auto answer = parse_sdp(write_answer(offer, agreed, transport, 7)).value();
    ASSERT_THAT(answer.media, SizeIs(3));
    EXPECT_EQ(answer.media[0].attributes.has("cryptex"), cryptex);
    EXPECT_EQ(answer.media[1].attributes.has("cryptex"), cryptex);
    EXPECT_FALSE(answer.media[2].attributes.has("cryptex"));
    EXPECT_FALSE(answer.attributes.has("cryptex"));
  }
}

// Only where both sides have it.
TEST(Negotiation, CryptexIsAnsweredAsThisLibsrtpCan) {
  TransportDescription theirs;
  EXPECT_EQ(answer_cryptex(theirs), srtp::Cryptex::off);
  theirs.cryptex = true;
  EXPECT_EQ(answer_cryptex(theirs), srtp::has_cryptex() ? srtp::Cryptex::on : srtp::Cryptex::off);
}

TEST(DataChannels, ArePublishedAndWatched) {
  for (const auto& answer : {publishers_answer(small_offer()), viewers_answer(small_offer())}) {
    EXPECT_EQ(answer.attributes.find("group"), "BUNDLE a v d");
    ASSERT_THAT(answer.media, SizeIs(3));
    const auto& data = answer.media[2];
    EXPECT_EQ(data.port, 9U);
    EXPECT_EQ(data.protocol, "UDP/DTLS/SCTP");
    EXPECT_THAT(data.formats, ElementsAre("webrtc-datachannel"));
    EXPECT_EQ(data.attributes.find("sctp-port"), "5000");
    EXPECT_EQ(data.attributes.find("max-message-size"), "65536");
    EXPECT_EQ(data.attributes.find("ice-ufrag"), "ours");
    EXPECT_FALSE(data.attributes.has("sctp-init"));
    EXPECT_FALSE(data.attributes.has("rtcp-mux"));
  }
}

TEST(DataChannels, OfBrowsers) {
  for (const auto* browser : {"chromium", "firefox"}) {
    const auto answer = publishers_answer(browser_offer(browser));
    ASSERT_THAT(answer.media, SizeIs(3));
    EXPECT_EQ(answer.media[2].attributes.find("sctp-port"), "5000") << browser;
  }
}

// As aiortc has it by default.
TEST(DataChannels, AsBeforeRfc8841) {
  auto offer = with(small_offer(), "UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5001");
  offer = with(offer, "a=sctp-port:5000", "a=sctpmap:5001 webrtc-datachannel 65535");
  const auto data = viewers_answer(offer).media.at(2);
  EXPECT_THAT(data.formats, ElementsAre("5001"));
  EXPECT_EQ(data.attributes.find("sctpmap"), "5001 webrtc-datachannel 32");
}

TEST(DataChannels, TheAnswerHasOurSctpInit) {
  const auto offer = read_offer(small_offer()).value();
  const dtls::Buffer init(3);
  const auto answer = parse_sdp(write_answer(offer, agree_on_publishing(offer).value().answer,
                                             our_transport(), 7, init))
                          .value();
  EXPECT_EQ(answer.media.at(2).attributes.find("sctp-init"), "AAAA");
  EXPECT_FALSE(answer.media[0].attributes.has("sctp-init"));
}

TEST(DataChannels, OneSectionOfThem) {
  auto two = with(small_offer(), "BUNDLE a v d", "BUNDLE a v d e");
  two += "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:e\r\na=sctp-port:5001\r\n";
  EXPECT_THAT(fault_of_publishing(two), HasSubstr("another data section"));
  const auto answer = viewers_answer(two);
  EXPECT_EQ(answer.media.at(2).port, 9U);
  EXPECT_EQ(answer.media.at(3).port, 0U);
}

TEST(DataChannels, AreNotAllOfAnOffer) {
  const auto small = small_offer();
  const auto alone = with(small.substr(0, small.find("m=audio")), "BUNDLE a v d", "BUNDLE d") +
                     small.substr(small.find("m=application"));
  EXPECT_THAT(fault_of_publishing(alone), HasSubstr("neither audio nor video"));
  auto offer = read_offer(alone).value();
  EXPECT_FALSE(agree_on_viewing(offer, next_ssrc));
}

TEST(DataChannels, BadSectionsAreNotTaken) {
  for (const auto& offer : {with(small_offer(), "sctp-port:5000", "sctp-port:0"),
                            with(small_offer(), "UDP/DTLS/SCTP", "UDP/SCTP"),
                            small_offer() + "a=max-message-size:much\r\n"}) {
    EXPECT_NE(fault_of_publishing(offer), "");
    EXPECT_EQ(viewers_answer(offer).media.at(2).port, 0U);
  }
}

// The one-byte form has 4 bits for an ID, and 15 is reserved (RFC 8285 section 4.2).
TEST(Negotiation, LargeExtensionIdsAreLeftOut) {
  const auto offer = with(small_media(), "a=mid:v\r\n",
                          "a=mid:v\r\na=extmap:15 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                          "a=extmap:2 urn:3gpp:video-orientation\r\n"
                          "a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n");
  for (const auto& answer : {publishers_answer(offer), viewers_answer(offer)}) {
    EXPECT_THAT(answer.media[1].attributes.all("extmap"),
                ElementsAre("2 urn:3gpp:video-orientation"));
    EXPECT_THAT(answer.media[0].attributes.all("extmap"), IsEmpty());
  }
}

// RFC 9143 section 12. aiortc 1.4 offers one ID for two extensions, and fails at packets with the
// second one.
TEST(Negotiation, AnIdStandsForOneExtensionInAllSections) {
  const auto offer = with(with(small_media(), "a=mid:a\r\n",
                               "a=mid:a\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                               "a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"),
                          "a=mid:v\r\n",
                          "a=mid:v\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                          "a=extmap:2 urn:3gpp:video-orientation\r\n"
                          "a=extmap:3 urn:3gpp:video-orientation\r\n");
  for (const auto& answer : {publishers_answer(offer), viewers_answer(offer)}) {
    EXPECT_THAT(answer.media[0].attributes.all("extmap"),
                ElementsAre("1 urn:ietf:params:rtp-hdrext:sdes:mid",
                            "2 urn:ietf:params:rtp-hdrext:ssrc-audio-level"));
    EXPECT_THAT(
        answer.media[1].attributes.all("extmap"),
        ElementsAre("1 urn:ietf:params:rtp-hdrext:sdes:mid", "3 urn:3gpp:video-orientation"));
  }
}

}  // namespace
}  // namespace sluice::interop::sfu
