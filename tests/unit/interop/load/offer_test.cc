#include "load/offer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/endpoints.h"
#include "unit/interop/common/sdp/offers.h"

namespace sluice::interop::load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr dtls::UdpEndpoint kOwn{dtls::Ipv4Address{192, 0, 2, 1}, 5000};

ClientOffer client_offer(bool publishes) {
  return {
      .publishes = publishes,
      .streams = {{SectionKind::audio, rtp::Ssrc{11}}, {SectionKind::video, rtp::Ssrc{12}}},
      .ice = make_credentials(),
      .fingerprint = test::must(dtls::Fingerprint::of(
          test::ecdsa_identity().certificate(), dtls::HashAlgorithm::sha256, test::environment())),
      .own = kOwn};
}

TEST(LoadOffer, IsReadByAServer) {
  for (const bool publishes : {false, true}) {
    auto offered = client_offer(publishes);
    offered.has_nack = !publishes;
    const auto offer = read_offer(write_offer(offered));
    ASSERT_TRUE(offer) << offer.error().sentence;
    EXPECT_EQ(offer->transport.ice, offered.ice);
    EXPECT_EQ(offer->transport.setup, Setup::actpass);
    EXPECT_THAT(offer->transport.fingerprints, ElementsAre(offered.fingerprint));
    EXPECT_TRUE(offer->transport.end_of_candidates);
    EXPECT_THAT(usable_candidates(offer->transport.candidates, kOwn), ElementsAre(kOwn));
    EXPECT_FALSE(offer->ice_lite);
    ASSERT_EQ(offer->sections.size(), 2U);
    for (const auto& section : offer->sections) {
      EXPECT_TRUE(section.accepted()) << section.rejected;
      EXPECT_EQ(section.direction, publishes ? Direction::sendonly : Direction::recvonly);
      EXPECT_EQ(section.codec.has_feedback("nack"), !publishes);
    }
    EXPECT_EQ(offer->sections[0].codec.rtpmap, "opus/48000/2");
    EXPECT_EQ(offer->sections[1].codec.name, "VP8");
    EXPECT_TRUE(offer->sections[1].codec.has_feedback("nack pli"));
  }
  EXPECT_THAT(write_offer(client_offer(true)), HasSubstr("a=ssrc:12 cname:sluice-load\r\n"));
}

TEST(LoadOffer, CredentialsAreNewEachTime) {
  EXPECT_NE(make_credentials().ufrag, make_credentials().ufrag);
  EXPECT_NE(make_credentials().pwd, make_credentials().pwd);
}

// An answer with the sections of small_offer() but for data.
std::string answer() {
  auto text = with(small_offer(), "BUNDLE a v d", "BUNDLE a v");
  text = with(text, "a=setup:actpass", "a=setup:passive");
  return text.substr(0, text.find("m=application"));
}

TEST(LoadAnswer, SaysThePayloadTypes) {
  const auto read = read_answer(with(answer(), "RTP/SAVPF 111", "RTP/SAVPF 100 111"));
  ASSERT_TRUE(read) << read.error().sentence;
  const auto types = accepted_types(client_offer(true), *read);
  ASSERT_TRUE(types) << types.error();
  EXPECT_THAT(*types, ElementsAre(rtp::PayloadType{111}, rtp::PayloadType{96}));
  const auto kinds = accepted_kinds(client_offer(false), *read);
  ASSERT_TRUE(kinds) << kinds.error();
  EXPECT_EQ(kinds->at(111), SectionKind::audio);
  EXPECT_EQ(kinds->at(96), SectionKind::video);
  EXPECT_EQ(kinds->at(97), std::nullopt) << "RTX was not offered";
}

TEST(LoadAnswer, MayRejectASectionOfAViewer) {
  const auto read = read_answer(with(answer(), "m=audio 9", "m=audio 0"));
  ASSERT_TRUE(read) << read.error().sentence;
  EXPECT_THAT(accepted_types(client_offer(true), *read).error(),
              HasSubstr("opus in section 0: its port is 0"));
  const auto kinds = accepted_kinds(client_offer(false), *read);
  ASSERT_TRUE(kinds);
  EXPECT_EQ(kinds->at(111), std::nullopt);
  EXPECT_EQ(kinds->at(96), SectionKind::video);
}

TEST(LoadAnswer, OfAnotherCodecIsNone) {
  const auto read = read_answer(with(answer(), "VP8/90000", "H264/90000"));
  ASSERT_TRUE(read) << read.error().sentence;
  EXPECT_THAT(accepted_types(client_offer(true), *read).error(), HasSubstr("VP8 in section 1"));
  auto video_alone = client_offer(false);
  video_alone.streams.erase(video_alone.streams.begin());
  EXPECT_THAT(accepted_types(video_alone, *read).error(), HasSubstr("number of sections"));
  EXPECT_THAT(accepted_kinds(video_alone, *read).error(), HasSubstr("nothing to watch"));
}

TEST(LoadCandidates, ThePreferredOneComesFirst) {
  const dtls::UdpEndpoint first{dtls::Ipv4Address{198, 51, 100, 1}, 443};
  const dtls::UdpEndpoint second{dtls::Ipv4Address{198, 51, 100, 2}, 444};
  EXPECT_THAT(usable_candidates({"candidate:1 1 udp 100 198.51.100.2 444 typ host",
                                 "candidate:2 1 UDP 200 198.51.100.1 443 typ srflx raddr 10.0.0.1 "
                                 "rport 9"},
                                kOwn),
              ElementsAre(first, second));
}

TEST(LoadCandidates, OthersAreLeftOut) {
  EXPECT_THAT(usable_candidates({"candidate:1 1 TCP 100 198.51.100.2 444 typ host tcptype passive",
                                 "candidate:1 2 udp 100 198.51.100.2 444 typ host",
                                 "candidate:1 1 udp 100 2001:db8::1 444 typ host",
                                 "candidate:1 1 udp 100 name.local 444 typ host",
                                 "candidate:1 1 udp 100 198.51.100.2 0 typ host",
                                 "candidate:1 1 udp 100 198.51.100.2 70000 typ host",
                                 "candidate:1 1 udp 198.51.100.2 444", "candidate:", ""},
                                kOwn),
              IsEmpty());
  const dtls::UdpEndpoint ipv6{dtls::Ipv6Address{}, 0};
  EXPECT_EQ(usable_candidates({"candidate:1 1 udp 100 2001:db8::1 444 typ host"}, ipv6).size(), 1U);
}

}  // namespace
}  // namespace sluice::interop::load
