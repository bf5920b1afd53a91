#include "common/sdp/simulcast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::interop {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> rids_of(const SdpAttributes& attributes) {
  SdpMedia media;
  media.attributes = attributes;
  return read_simulcast(media);
}
std::vector<std::string> rids_of(std::initializer_list<SdpAttribute> attributes) {
  return rids_of(SdpAttributes(attributes));
}

TEST(Simulcast, IsReadInItsOrder) {
  EXPECT_THAT(rids_of({{"rid", "l send"}, {"rid", "h send"}, {"simulcast", "send h;l"}}),
              ElementsAre("h", "l"));
  EXPECT_THAT(rids_of({{"rid", "1 send pt=97;max-width=1280"}, {"simulcast", "recv 2 send 1"}}),
              ElementsAre("1"));
}

TEST(Simulcast, PausedStreamsAndAlternatives) {
  EXPECT_THAT(
      rids_of(
          {{"rid", "a send"}, {"rid", "b send"}, {"rid", "c send"}, {"simulcast", "send ~a;b,c"}}),
      ElementsAre("a", "b"));
}

TEST(Simulcast, WhatNoLineDeclaresIsLeftOut) {
  EXPECT_THAT(rids_of({{"rid", "a send"}}), IsEmpty()) << "no a=simulcast";
  EXPECT_THAT(rids_of({{"rid", "a recv"}, {"simulcast", "send a;b"}}), IsEmpty());
  EXPECT_THAT(rids_of({{"rid", "a recv"}, {"simulcast", "recv a"}}), IsEmpty());
  EXPECT_THAT(rids_of({{"rid", "a send"}, {"simulcast", "send a;a"}}), ElementsAre("a"));
}

TEST(Simulcast, MalformedOnesAreLeftOut) {
  for (const auto* rid : {"", "~", "a-b", "a b", "0123456789abcdef0"}) {
    const std::string text = rid;
    EXPECT_THAT(rids_of({{"rid", text + " send"}, {"simulcast", "send " + text + ";ok"}}),
                IsEmpty())
        << rid;
  }
  EXPECT_THAT(rids_of({{"rid", "a send"}, {"simulcast", "send"}}), IsEmpty());
  EXPECT_THAT(rids_of({{"rid", "a send"}, {"simulcast", "send ;;;a"}}), ElementsAre("a"));
}

TEST(Simulcast, HasAtMostFourStreams) {
  SdpAttributes attributes;
  std::string streams = "send ";
  for (int i = 0; i < 100; ++i) {
    attributes.add("rid", std::to_string(i) + " send");
    streams += std::to_string(i) + ";";
  }
  attributes.add("simulcast", streams);
  EXPECT_THAT(rids_of(attributes), ElementsAre("0", "1", "2", "3"));
}

TEST(Simulcast, IsAnswered) {
  SdpAttributes attributes;
  write_simulcast(attributes, std::vector<std::string>{"h", "l"}, "recv");
  EXPECT_THAT(attributes.all("rid"), ElementsAre("h recv", "l recv"));
  EXPECT_EQ(attributes.find("simulcast"), "recv h;l");
  SdpAttributes sent;
  write_simulcast(sent, std::vector<std::string>{"h", "l"}, "send");
  EXPECT_THAT(rids_of(sent), ElementsAre("h", "l"));
  SdpAttributes none;
  write_simulcast(none, {}, "recv");
  EXPECT_THAT(none, IsEmpty());
}

}  // namespace
}  // namespace sluice::interop
