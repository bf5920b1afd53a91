#include "load/offer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/client/client_ice.h"
#include "support/endpoints.h"
#include "unit/interop/common/sdp/offers.h"

namespace sluice::interop::load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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

TEST(LoadCounterOffer, IsTakenWhereThereIsSomethingToWatch) {
  auto own = client_offer(false);
  own.has_nack = true;
  const auto taken = take_offer(own, read_offer(small_offer()).value());
  ASSERT_TRUE(taken) << taken.error();
  const auto answer = read_answer(taken->answer);
  ASSERT_TRUE(answer) << answer.error().sentence;
  EXPECT_EQ(answer->transport.setup, Setup::active);
  EXPECT_EQ(answer->transport.ice, own.ice);
  EXPECT_THAT(answer->transport.fingerprints, ElementsAre(own.fingerprint));
  EXPECT_THAT(usable_candidates(answer->transport.candidates, kOwn), ElementsAre(kOwn));
  EXPECT_THAT(answer->bundle, ElementsAre("a", "v"));
  ASSERT_EQ(answer->sections.size(), 3U);
  EXPECT_FALSE(answer->sections[2].accepted()) << "data channels";
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(answer->sections[i].accepted()) << answer->sections[i].rejected;
    EXPECT_EQ(answer->sections[i].direction, Direction::recvonly);
    EXPECT_EQ(answer->sections[i].codecs.size(), 1U);
  }
  EXPECT_EQ(taken->kinds.at(111), SectionKind::audio);
  EXPECT_EQ(taken->kinds.at(96), SectionKind::video);
  EXPECT_EQ(taken->kinds.at(97), std::nullopt) << "RTX";
}

TEST(LoadCounterOffer, OfOneKindIsTakenInPart) {
  auto own = client_offer(false);
  own.streams.erase(own.streams.begin());
  const auto taken = take_offer(own, read_offer(small_offer()).value());
  ASSERT_TRUE(taken) << taken.error();
  const auto answer = read_answer(taken->answer);
  ASSERT_TRUE(answer) << answer.error().sentence;
  EXPECT_THAT(answer->bundle, ElementsAre("v"));
  EXPECT_EQ(taken->kinds.at(111), std::nullopt);
}

TEST(LoadCounterOffer, OfAnotherCodecIsNotTaken) {
  auto own = client_offer(false);
  own.streams.erase(own.streams.begin());
  const auto other = read_offer(with(small_offer(), "VP8/90000", "H264/90000")).value();
  EXPECT_THAT(take_offer(own, other).error(), HasSubstr("nothing to watch"));
}

}  // namespace
}  // namespace sluice::interop::load
