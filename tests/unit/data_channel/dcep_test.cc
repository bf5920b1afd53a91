#include "dcep.h"

#include <gtest/gtest.h>

#include "support/bytes.h"

namespace sluice::data_channel {
namespace {

using namespace std::chrono_literals;
using test::from_hex;

TEST(Dcep, ReadsOpen) {
  const auto open =
      read_channel_open(from_hex("03 81 01 00 00 00 00 05 00 04 00 02 63 68 61 74 78 79"));
  ASSERT_TRUE(open);
  EXPECT_FALSE(open->ordered);
  EXPECT_EQ(open->max_retransmits, 5U);
  EXPECT_FALSE(open->max_lifetime);
  EXPECT_EQ(open->priority, 256);
  EXPECT_EQ(open->label, "chat");
  EXPECT_EQ(open->protocol, "xy");
}

TEST(Dcep, WritesWhatItReads) {
  for (const int policy : {0, 1, 2}) {
    for (const bool ordered : {true, false}) {
      ChannelOptions options{.protocol = "p", .ordered = ordered, .priority = 3};
      if (policy == 1) options.max_retransmits = 77;
      if (policy == 2) options.max_lifetime = 4294967295ms;
      const auto read = read_channel_open(write_channel_open(options));
      ASSERT_TRUE(read);
      EXPECT_EQ(read->ordered, ordered);
      EXPECT_EQ(read->max_retransmits, options.max_retransmits);
      EXPECT_EQ(read->max_lifetime, options.max_lifetime);
      EXPECT_EQ(read->label, "");
      EXPECT_EQ(read->protocol, "p");
      EXPECT_EQ(read->priority, 3);
    }
  }
}

TEST(Dcep, MalformedOpen) {
  for (const auto* text : {
           "",
           "03 00 00 00 00 00 00 00 00 00 00",        // short
           "02 00 00 00 00 00 00 00 00 00 00 00",     // not OPEN
           "03 03 00 00 00 00 00 00 00 00 00 00",     // unknown channel type
           "03 00 00 00 00 00 00 00 00 01 00 00",     // label beyond the end
           "03 00 00 00 00 00 00 00 00 00 ff ff",     // protocol beyond the end
           "03 00 00 00 00 00 00 00 00 00 00 00 00",  // a byte too many
       }) {
    EXPECT_FALSE(read_channel_open(from_hex(text))) << text;
  }
  EXPECT_FALSE(
      read_channel_open(write_channel_open({.label = std::string(kMaxChannelName + 1, 'x')})));
}

TEST(Dcep, Ack) {
  EXPECT_TRUE(is_channel_ack(write_channel_ack()));
  EXPECT_FALSE(is_channel_ack(from_hex("02 00")));
  EXPECT_FALSE(is_channel_ack(from_hex("03")));
  EXPECT_FALSE(is_channel_ack({}));
}

TEST(Dcep, PayloadProtocols) {
  for (const auto type : {MessageType::text, MessageType::binary}) {
    for (const bool empty : {true, false}) {
      const auto protocol = payload_protocol(type, empty);
      EXPECT_EQ(message_type(protocol), type);
      EXPECT_EQ(stands_for_empty(protocol), empty);
    }
  }
  EXPECT_FALSE(message_type(PayloadProtocol::dcep));
  EXPECT_FALSE(message_type(PayloadProtocol{52}));  // deprecated (RFC 8831 section 8)
}

}  // namespace
}  // namespace sluice::data_channel
