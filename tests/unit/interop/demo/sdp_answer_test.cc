#include "demo/sdp_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "unit/interop/common/sdp/offers.h"

namespace sluice::interop::demo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TransportDescription our_transport() {
  return {.ice = {.ufrag = "ours", .pwd = "abcdefghijklmnopqrstuvwx"},
          .candidates = {"candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host",
                         "candidate:2 1 udp 2130706430 192.0.2.1 5001 typ host"},
          .end_of_candidates = true,
          .setup = Setup::active,
          .fingerprints = {{.hash = dtls::HashAlgorithm::sha1, .value = dtls::Buffer(20)}},
          .tls_id = {}};
}

SdpDocument answer_to(const std::string& offer_text) {
  const auto offer = read_offer(offer_text);
  if (!offer) {
    ADD_FAILURE() << offer.error().sentence;
    return {};
  }
  const std::vector<std::uint32_t> ssrcs = {1001, 1002, 1003, 1004};
  const auto text = write_answer(*offer, our_transport(),
                                 {.session_id = 7, .ssrcs = ssrcs, .max_message_size = 262144});
  EXPECT_THAT(text, HasSubstr("o=- 7 1 IN IP4 0.0.0.0\r\n"));
  auto document = parse_sdp(text);
  if (!document) {
    ADD_FAILURE() << document.error().sentence;
    return {};
  }
  return *document;
}

// RFC 9429 section 5.1.2: the answer has the offer's profile.
TEST(AnswerInTheSameForm, Protocols) {
  for (const auto* protocol : {"UDP/TLS/RTP/SAVP", "RTP/SAVPF", "TCP/DTLS/RTP/SAVPF", "RTP/AVP"}) {
    const auto answer = answer_to(with(small_offer(), "UDP/TLS/RTP/SAVPF", protocol));
    ASSERT_THAT(answer.media, SizeIs(3));
    EXPECT_EQ(answer.media[0].protocol, protocol);
    EXPECT_EQ(answer.media[0].port, 9U);
    EXPECT_EQ(answer.media[1].protocol, "UDP/TLS/RTP/SAVPF");
  }
}

TEST(AnswerInTheSameForm, DataChannelsAsBeforeRfc8841) {
  auto text = with(small_offer(), "UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5001");
  text = with(text, "a=sctp-port:5000", "a=sctpmap:5001 webrtc-datachannel 65535");
  const auto answer = answer_to(text);
  ASSERT_THAT(answer.media, SizeIs(3));
  const auto& data = answer.media[2];
  EXPECT_EQ(data.protocol, "DTLS/SCTP");
  EXPECT_THAT(data.formats, ElementsAre("5001"));
  EXPECT_EQ(data.attributes.find("sctpmap"), "5001 webrtc-datachannel 256");
  EXPECT_FALSE(data.attributes.has("sctp-port"));
  EXPECT_EQ(data.attributes.find("max-message-size"), "262144");
}

// RFC 8842 section 5.3; NiceTransport decides whether there is one.
TEST(AnswerInTheSameForm, TlsId) {
  const auto offer = read_offer(small_offer());
  ASSERT_TRUE(offer);
  const std::vector<std::uint32_t> ssrcs = {1001, 1002, 1003};
  auto transport = our_transport();
  const AnswerOptions options{.session_id = 7, .ssrcs = ssrcs, .max_message_size = 262144};
  EXPECT_THAT(write_answer(*offer, transport, options), Not(HasSubstr("tls-id")));
  transport.tls_id = "abcdefghijklmnopqrst";
  const auto answer = parse_sdp(write_answer(*offer, transport, options));
  ASSERT_TRUE(answer);
  for (const auto& media : answer->media) {
    EXPECT_EQ(media.attributes.find("tls-id"), "abcdefghijklmnopqrst");
  }
}

TEST(AnswerInTheSameForm, SctpInit) {
  const auto offer = read_offer(small_offer());
  ASSERT_TRUE(offer);
  const std::vector<std::uint32_t> ssrcs = {1001, 1002, 1003};
  AnswerOptions options{.session_id = 7, .ssrcs = ssrcs, .max_message_size = 262144};
  EXPECT_THAT(write_answer(*offer, our_transport(), options), Not(HasSubstr("sctp-init")));
  const dtls::Buffer init(3);
  options.sctp_init = init;
  const auto answer = parse_sdp(write_answer(*offer, our_transport(), options));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->media[2].attributes.find("sctp-init"), "AAAA");
  EXPECT_FALSE(answer->media[0].attributes.has("sctp-init"));
}

TEST(AnswerInTheSameForm, IceOptions) {
  const auto offer = read_offer(small_offer());
  ASSERT_TRUE(offer);
  const std::vector<std::uint32_t> ssrcs = {1001, 1002, 1003};
  const auto ice_options = [&](bool ice_lite, bool dtls_in_stun) {
    const AnswerOptions options{.session_id = 7,
                                .ice_lite = ice_lite,
                                .dtls_in_stun = dtls_in_stun,
                                .ssrcs = ssrcs,
                                .max_message_size = 262144};
    const auto answer = parse_sdp(write_answer(*offer, our_transport(), options));
    return std::string{answer->attributes.find("ice-options").value_or("none")};
  };
  EXPECT_EQ(ice_options(false, false), "trickle");
  EXPECT_EQ(ice_options(true, false), "ice2");
  EXPECT_EQ(ice_options(true, true), "ice2 googspedv1");
}

class AnswerToBrowser : public testing::TestWithParam<const char*> {};

TEST_P(AnswerToBrowser, AcceptsAllInOneBundle) {
  const auto answer = answer_to(browser_offer(GetParam()));
  EXPECT_THAT(answer.attributes.all("group"), ElementsAre("BUNDLE 0 1 2"));
  ASSERT_THAT(answer.media, SizeIs(3));
  for (const auto& media : answer.media) {
    EXPECT_EQ(media.port, 9U);
    EXPECT_EQ(media.attributes.find("ice-ufrag"), "ours");
    EXPECT_EQ(media.attributes.find("ice-pwd"), "abcdefghijklmnopqrstuvwx");
    EXPECT_EQ(media.attributes.find("fingerprint"),
              "sha-1 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00");
    EXPECT_EQ(media.attributes.find("setup"), "active");
  }
}

TEST_P(AnswerToBrowser, CandidatesStandInTheTaggedSection) {
  const auto answer = answer_to(browser_offer(GetParam()));
  ASSERT_THAT(answer.media, SizeIs(3));
  EXPECT_THAT(answer.media[0].attributes.all("candidate"), SizeIs(2));
  EXPECT_TRUE(answer.media[0].attributes.has("end-of-candidates"));
  EXPECT_THAT(answer.media[1].attributes.all("candidate"), IsEmpty());
  EXPECT_THAT(answer.media[2].attributes.all("candidate"), IsEmpty());
}

TEST_P(AnswerToBrowser, EchoesOneCodecAndTheMid) {
  const auto offer = read_offer(browser_offer(GetParam()));
  const auto answer = answer_to(browser_offer(GetParam()));
  ASSERT_THAT(answer.media, SizeIs(3));
  for (const std::size_t i : {0U, 1U}) {
    const auto& media = answer.media[i];
    const auto payload_type = std::to_string(offer->sections[i].codec.payload_type);
    EXPECT_THAT(media.formats, ElementsAre(payload_type));
    EXPECT_EQ(media.attributes.find("rtpmap"),
              payload_type + " " + offer->sections[i].codec.rtpmap);
    EXPECT_THAT(media.attributes.all("extmap"),
                ElementsAre(std::to_string(*offer->sections[i].mid_extension) +
                            " urn:ietf:params:rtp-hdrext:sdes:mid"));
    EXPECT_TRUE(media.attributes.has("rtcp-mux"));
    EXPECT_TRUE(media.attributes.has("sendrecv"));
    EXPECT_TRUE(media.attributes.has("msid"));
    EXPECT_THAT(media.attributes.find("ssrc").value(),
                testing::StartsWith(i == 0 ? "1001 cname:" : "1002 cname:"));
    for (const auto feedback : media.attributes.all("rtcp-fb")) {
      EXPECT_THAT(std::string{feedback}, Not(HasSubstr("transport-cc")));
      EXPECT_THAT(std::string{feedback}, Not(HasSubstr("remb")));
    }
  }
  EXPECT_THAT(answer.media[1].attributes.all("rtcp-fb"), SizeIs(3));  // nack, nack pli, ccm fir
  EXPECT_EQ(answer.media[2].attributes.find("sctp-port"), "5000");
  EXPECT_EQ(answer.media[2].attributes.find("max-message-size"), "262144");
  EXPECT_THAT(answer.media[2].formats, ElementsAre("webrtc-datachannel"));
}

INSTANTIATE_TEST_SUITE_P(, AnswerToBrowser, testing::Values("chromium", "firefox"),
                         [](const auto& param_info) { return std::string{param_info.param}; });

TEST(SdpAnswer, RejectedSectionsHavePortZeroAndNoTransport) {
  const auto answer = answer_to(with(small_offer(), "BUNDLE a v d", "BUNDLE v d"));
  EXPECT_THAT(answer.attributes.all("group"), ElementsAre("BUNDLE v d"));
  ASSERT_THAT(answer.media, SizeIs(3));
  EXPECT_EQ(answer.media[0].port, 0U);
  EXPECT_THAT(answer.media[0].formats, ElementsAre("111"));
  EXPECT_EQ(answer.media[0].attributes.find("mid"), "a");
  EXPECT_FALSE(answer.media[0].attributes.has("ice-ufrag"));
  EXPECT_TRUE(answer.media[1].attributes.has("candidate"));
}

TEST(SdpAnswer, WithoutGroupThereIsNone) {
  const auto answer = answer_to(without_line("a=group"));
  EXPECT_FALSE(answer.attributes.has("group"));
  EXPECT_TRUE(answer.media[0].attributes.has("candidate"));
  EXPECT_EQ(answer.media[1].port, 0U);
}

TEST(SdpAnswer, UnknownMediaIsRejected) {
  const auto answer = answer_to(small_offer() + "m=message 9 UDP/TLS/MSRP *\r\na=mid:m\r\n");
  ASSERT_THAT(answer.media, SizeIs(4));
  EXPECT_EQ(answer.media[3].port, 0U);
  EXPECT_EQ(answer.media[3].kind, "message");
}

TEST(SdpAnswer, Directions) {
  EXPECT_EQ(answer_direction(Direction::sendrecv), Direction::sendrecv);
  EXPECT_EQ(answer_direction(Direction::sendonly), Direction::recvonly);
  EXPECT_EQ(answer_direction(Direction::recvonly), Direction::inactive);
  EXPECT_EQ(answer_direction(Direction::inactive), Direction::inactive);
  const auto answer = answer_to(with(small_offer(), "a=mid:a\r\n", "a=mid:a\r\na=sendonly\r\n"));
  EXPECT_TRUE(answer.media[0].attributes.has("recvonly"));
  EXPECT_FALSE(answer.media[0].attributes.has("ssrc"));
}

TEST(SdpAnswer, RoleIsOursWhenTheOfferLeavesIt) {
  EXPECT_EQ(choose_setup(Setup::actpass, std::nullopt, Setup::active), Setup::active);
  EXPECT_EQ(choose_setup(Setup::actpass, std::nullopt, Setup::passive), Setup::passive);
  EXPECT_EQ(choose_setup(Setup::actpass, Setup::passive, Setup::active), Setup::passive);
  EXPECT_EQ(choose_setup(Setup::active, std::nullopt, Setup::active), Setup::passive);
  EXPECT_EQ(choose_setup(Setup::passive, std::nullopt, Setup::passive), Setup::active);
  EXPECT_EQ(choose_setup(Setup::passive, Setup::active, Setup::active), Setup::active);
  EXPECT_FALSE(choose_setup(Setup::active, Setup::active, Setup::active));
  EXPECT_FALSE(choose_setup(Setup::passive, Setup::passive, Setup::passive));
}

}  // namespace
}  // namespace sluice::interop::demo
