#include "common/sdp/answer_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/interop/common/sdp/offers.h"

namespace sluice::interop {
namespace {

using testing::HasSubstr;

TEST(SdpAnswer, HasWhatAnOfferHas) {
  const auto answer = read_answer(with(small_offer(), "setup:actpass", "setup:active"));
  ASSERT_TRUE(answer) << answer.error().sentence;
  EXPECT_EQ(answer->transport.setup, Setup::active);
  EXPECT_EQ(answer->transport.ice.ufrag, "abcd");
  EXPECT_EQ(answer->sections.size(), 3U);
}

TEST(SdpAnswer, DecidesTheDtlsRole) {
  EXPECT_THAT(read_answer(small_offer()).error().sentence, HasSubstr("a=setup:active"));
}

TEST(SdpAnswer, BadOnesAreNamed) {
  EXPECT_THAT(read_answer("hello").error().sentence, HasSubstr("not SDP"));
  EXPECT_THAT(read_answer("v=0\r\n").error().sentence, HasSubstr("no media section"));
  EXPECT_THAT(read_answer(without_line("a=fingerprint")).error().sentence,
              HasSubstr("no a=fingerprint"));
  auto rejected = small_offer();
  for (const char* section : {"m=audio 9", "m=video 9", "m=application 9"}) {
    const std::string line = section;
    rejected = with(rejected, line, line.substr(0, line.size() - 1) + "0");
  }
  EXPECT_THAT(read_answer(rejected).error().sentence, HasSubstr("Nothing in the SDP can be used"));
}

}  // namespace
}  // namespace sluice::interop
