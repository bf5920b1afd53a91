#include "init_chunk.h"

#include <gtest/gtest.h>

#include "support/bytes.h"

namespace sluice::data_channel {
namespace {

using test::from_hex;
using test::to_hex;

// Tag 1, window 2, 3 and 4 streams, TSN 5, and a parameter of 6 bytes.
constexpr std::string_view kInit =
    "01 00 00 1a 00 00 00 01 00 00 00 02 00 03 00 04 00 00 00 05 80 08 00 06 82 c0 00 00";

TEST(InitChunk, Crc32c) {
  // RFC 3720 appendix B.4, and the usual check value.
  EXPECT_EQ(crc32c(test::bytes_of("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(dtls::Buffer(32)), 0x8a9136aaU);
}

TEST(InitChunk, IsTakenFromItsPacket) {
  const auto packet = from_hex("13 88 13 88 00 00 00 00 11 22 33 44 " + std::string{kInit});
  EXPECT_EQ(to_hex(init_chunk_of(packet)), to_hex(from_hex(kInit)));
  EXPECT_TRUE(init_chunk_of(Bytes{packet}.first(11)).empty());
  EXPECT_TRUE(init_chunk_of(Bytes{packet}.first(20)).empty());
}

TEST(InitChunk, PaddingMayBeMissing) {
  const auto whole = from_hex(kInit);
  EXPECT_TRUE(is_init_chunk(whole));
  EXPECT_TRUE(is_init_chunk(Bytes{whole}.first(26)));
  EXPECT_FALSE(is_init_chunk(Bytes{whole}.first(25)));
}

TEST(InitChunk, Malformed) {
  for (const auto* text : {
           "",
           "02 00 00 14 00 00 00 01 00 00 00 02 00 03 00 04 00 00 00 05",              // INIT ACK
           "01 00 00 10 00 00 00 01 00 00 00 02 00 03 00 04",                          // too short
           "01 00 00 18 00 00 00 01 00 00 00 02 00 03 00 04 00 00 00 05",              // longer
           "01 00 00 14 00 00 00 01 00 00 00 02 00 03 00 04 00 00 00 05 00 00 00 00",  // and more
           "01 00 00 14 00 00 00 00 00 00 00 02 00 03 00 04 00 00 00 05",              // tag 0
           "01 00 00 14 00 00 00 01 00 00 00 02 00 00 00 04 00 00 00 05",              // streams
           "01 00 00 14 00 00 00 01 00 00 00 02 00 03 00 00 00 00 00 05",
           "01 00 00 16 00 00 00 01 00 00 00 02 00 03 00 04 00 00 00 05 80 08 00 00",  // parameters
           "01 00 00 18 00 00 00 01 00 00 00 02 00 03 00 04 00 00 00 05 80 08 00 03",
           "01 00 00 18 00 00 00 01 00 00 00 02 00 03 00 04 00 00 00 05 80 08 00 06",
       }) {
    EXPECT_FALSE(is_init_chunk(from_hex(text))) << text;
  }
  EXPECT_FALSE(is_init_chunk(dtls::Buffer(2000)));
}

TEST(InitChunk, CookieComesBack) {
  const auto own = from_hex("01 00 00 14 aa bb cc dd 00 00 00 02 00 03 00 04 00 00 00 05");
  const auto init_ack = from_hex(
      "13 88 13 89 11 22 33 44 00 00 00 00 02 00 00 22 00 00 00 01 00 00 00 02 00 03 00 04 "
      "00 00 00 05 80 08 00 05 82 00 00 00 00 07 00 09 01 02 03 04 05 00 00 00");
  const auto echo = make_cookie_echo(own, init_ack, 5001, 5000);
  EXPECT_EQ(to_hex(echo).substr(0, 16), "13891388aabbccdd");
  EXPECT_EQ(to_hex(echo).substr(24), "0a0000090102030405000000");
  auto checked = echo;
  set_checksum(checked);
  EXPECT_EQ(checked, echo);
  for (std::size_t size = 0; size + 7 < init_ack.size(); ++size) {
    EXPECT_TRUE(make_cookie_echo(own, Bytes{init_ack}.first(size), 5001, 5000).empty()) << size;
  }
}

TEST(InitChunk, InitOfThePeerHasNoTag) {
  const auto packet = make_init(from_hex(kInit), 5001, 5000);
  EXPECT_EQ(to_hex(packet).substr(0, 16), "1389138800000000");
  EXPECT_EQ(to_hex(init_chunk_of(packet)), to_hex(from_hex(kInit)));
}

}  // namespace
}  // namespace sluice::data_channel
