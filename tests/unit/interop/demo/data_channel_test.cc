#include "demo/data_channel.h"

#include <gtest/gtest.h>

#include "unit/interop/demo/bytes_of.h"

namespace sluice::interop::demo {
namespace {

using Policy = Reliability::Policy;

TEST(DataChannel, ReadsOpen) {
  const auto open =
      read_channel_open(bytes_of("03 81 01 00 00 00 00 05 00 04 00 02 63 68 61 74 78 79"));
  ASSERT_TRUE(open);
  EXPECT_FALSE(open->reliability.ordered);
  EXPECT_EQ(open->reliability.policy, Policy::max_retransmits);
  EXPECT_EQ(open->reliability.limit, 5U);
  EXPECT_EQ(open->priority, 256);
  EXPECT_EQ(open->label, "chat");
  EXPECT_EQ(open->protocol, "xy");
}

TEST(DataChannel, WritesWhatItReads) {
  for (const auto policy : {Policy::reliable, Policy::max_retransmits, Policy::max_lifetime}) {
    for (const bool ordered : {true, false}) {
      const ChannelOpen open{.reliability = {.ordered = ordered, .policy = policy, .limit = 77},
                             .priority = 3,
                             .label = "",
                             .protocol = "p"};
      const auto read = read_channel_open(write_channel_open(open));
      ASSERT_TRUE(read);
      EXPECT_EQ(read->reliability.ordered, ordered);
      EXPECT_EQ(read->reliability.policy, policy);
      EXPECT_EQ(read->reliability.limit, 77U);
      EXPECT_EQ(read->label, "");
      EXPECT_EQ(read->protocol, "p");
    }
  }
}

TEST(DataChannel, MalformedOpen) {
  for (const auto* text : {
           "",
           "03 00 00 00 00 00 00 00 00 00 00",        // short
           "02 00 00 00 00 00 00 00 00 00 00 00",     // not OPEN
           "03 03 00 00 00 00 00 00 00 00 00 00",     // unknown channel type
           "03 00 00 00 00 00 00 00 00 01 00 00",     // label beyond the end
           "03 00 00 00 00 00 00 00 00 00 ff ff",     // protocol beyond the end
           "03 00 00 00 00 00 00 00 00 00 00 00 00",  // a byte too many
       }) {
    EXPECT_FALSE(read_channel_open(bytes_of(text))) << text;
  }
  ChannelOpen long_name;
  long_name.label = std::string(kMaxChannelName + 1, 'x');
  EXPECT_FALSE(read_channel_open(write_channel_open(long_name)));
}

TEST(DataChannel, Ack) {
  EXPECT_TRUE(is_channel_ack(write_channel_ack()));
  EXPECT_FALSE(is_channel_ack(bytes_of("02 00")));
  EXPECT_FALSE(is_channel_ack(bytes_of("03")));
  EXPECT_FALSE(is_channel_ack({}));
}

}  // namespace
}  // namespace sluice::interop::demo
