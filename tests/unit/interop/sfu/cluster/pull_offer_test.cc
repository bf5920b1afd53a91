#include "sfu/cluster/pull_offer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/client/client_ice.h"
#include "support/endpoints.h"

namespace sluice::interop::sfu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr dtls::UdpEndpoint kOwn{dtls::Ipv4Address{127, 0, 0, 1}, 5000};

dtls::Fingerprint fingerprint() {
  return test::must(dtls::Fingerprint::of(test::ecdsa_identity().certificate(),
                                          dtls::HashAlgorithm::sha256, test::environment()));
}

rtp::Ssrc next_ssrc() {
  static std::uint32_t last = 2000;
  return rtp::Ssrc{++last};
}

PublishedTrack track(std::string_view name, std::vector<std::string> rids = {}) {
  const auto format = std::ranges::find(formats(), name, &Format::name);
  return {.format = &*format, .mid = "x", .rids = std::move(rids)};
}

// The answer of a node with these tracks to our offer.
std::string answer_of(const std::vector<PublishedTrack>& tracks) {
  auto offer = read_offer(write_pull_offer(make_credentials(), fingerprint(), kOwn)).value();
  std::vector<const PublishedTrack*> all;
  for (const PublishedTrack& each : tracks) all.push_back(&each);
  const auto agreement = agree_on_layers(offer, all, next_ssrc).value();
  return write_answer(offer, agreement.answer,
                      {.ice = make_credentials(),
                       .candidates = {"candidate:1 1 udp 1 127.0.0.1 6000 typ host"},
                       .end_of_candidates = true,
                       .setup = Setup::passive,
                       .fingerprints = {fingerprint()}},
                      1);
}

std::string replace(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("no " + from);
  return text.replace(at, from.size(), to);
}

TEST(PullOffer, HasAllFormatsOfTheServer) {
  const auto ice = make_credentials();
  const auto offer = read_offer(write_pull_offer(ice, fingerprint(), kOwn));
  ASSERT_TRUE(offer) << offer.error().sentence;
  EXPECT_EQ(offer->transport.ice, ice);
  ASSERT_THAT(offer->sections, SizeIs(2));
  std::size_t found = 0;
  for (const OfferedSection& section : offer->sections) {
    EXPECT_TRUE(section.accepted()) << section.rejected;
    EXPECT_EQ(section.direction, Direction::recvonly);
    for (const Codec& codec : section.codecs) {
      const Format* const format = format_of(section.kind, codec);
      ASSERT_NE(format, nullptr) << codec.rtpmap;
      EXPECT_EQ(format, &formats()[found++]);
      EXPECT_TRUE(codec.has_feedback("nack"));
    }
  }
  EXPECT_EQ(found, formats().size());
}

TEST(PullAnswer, SaysTheFormatAndTheSourceOfEachLayer) {
  for (const Format& format : formats()) {
    const auto read = read_pull_answer(answer_of({track(format.name)}));
    ASSERT_TRUE(read) << format.name << read.error();
    ASSERT_THAT(read->tracks, SizeIs(1));
    EXPECT_EQ(read->tracks[0].agreed.format, &format);
    EXPECT_THAT(read->tracks[0].sources, SizeIs(1));
    EXPECT_TRUE(read->tracks[0].agreed.has_nack);
  }
  const auto read = read_pull_answer(answer_of({track("opus"), track("VP8", {"h", "m", "l"})}));
  ASSERT_TRUE(read) << read.error();
  ASSERT_THAT(read->tracks, SizeIs(2));
  EXPECT_THAT(read->tracks[1].agreed.rids, ElementsAre("h", "m", "l"));
  EXPECT_THAT(read->tracks[1].sources, SizeIs(3));
  EXPECT_NE(read->tracks[1].sources[0], read->tracks[1].sources[2]);
}

TEST(PullAnswer, SaysNothingElse) {
  const std::string good = answer_of({track("opus"), track("VP8", {"h", "l"})});
  const auto parsed = read_pull_answer(good).value();
  const auto ssrc = [&](std::size_t number, std::size_t layer) {
    return std::to_string(rtp::number(parsed.tracks[number].sources[layer]));
  };
  const auto fault = [](const std::string& sdp) {
    const auto read = read_pull_answer(sdp);
    return read ? std::string{} : read.error();
  };
  EXPECT_EQ(fault(good), "");
  EXPECT_NE(fault(""), "");
  EXPECT_NE(fault("v=0\r\n"), "");
  EXPECT_THAT(fault(replace(good, "VP8/90000", "H264/90000")), HasSubstr("not one codec"));
  EXPECT_THAT(fault(replace(good, "a=simulcast:send h;l", "a=simulcast:send h")),
              HasSubstr("another number"));
  EXPECT_THAT(fault(replace(good, "a=simulcast:send h;l\r\n",
                            "a=simulcast:send h;l\r\n"
                            "a=ssrc:1 cname:x\r\n")),
              HasSubstr("another number"));
  EXPECT_THAT(fault(replace(good, "a=ssrc:" + ssrc(0, 0), "a=ssrc:4294967296")),
              HasSubstr("another number"));
  std::string same = good;
  for (int line = 0; line < 2; ++line) {
    same = replace(same, "a=ssrc:" + ssrc(1, 0), "a=ssrc:" + ssrc(0, 0));
  }
  EXPECT_THAT(fault(same), HasSubstr("one SSRC"));
}

TEST(LayerAgreement, TakesWhatThePublisherHas) {
  auto offer = read_offer(write_pull_offer(make_credentials(), fingerprint(), kOwn)).value();
  const PublishedTrack video = track("AV1", {"a", "b"});
  const auto agreement = agree_on_layers(offer, {&video}, next_ssrc);
  ASSERT_TRUE(agreement) << agreement.error().sentence;
  EXPECT_FALSE(offer.sections[0].accepted());
  ASSERT_THAT(agreement->parts, SizeIs(2));
  EXPECT_EQ(agreement->parts[1].layer, 1U);
  EXPECT_NE(agreement->parts[0].ssrc, agreement->parts[1].ssrc);
  EXPECT_THAT(agreement->answer[1].codecs, SizeIs(1));
  EXPECT_FALSE(agree_on_layers(offer, {}, next_ssrc));
}

}  // namespace
}  // namespace sluice::interop::sfu
