#include "init_chunk.h"

#include <gtest/gtest.h>
#include <sluice/data_channel/sctp_init.h>

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

// RFC 4648 section 10, by chunks that end in each way.
TEST(SctpInit, IsBase64) {
  EXPECT_EQ(write_sctp_init({}), "");
  EXPECT_EQ(write_sctp_init(test::bytes_of("f")), "Zg==");
  EXPECT_EQ(write_sctp_init(test::bytes_of("fo")), "Zm8=");
  EXPECT_EQ(write_sctp_init(test::bytes_of("foo")), "Zm9v");
  EXPECT_EQ(write_sctp_init(test::bytes_of("foobar")), "Zm9vYmFy");
  EXPECT_EQ(write_sctp_init(from_hex("fb ff fe")), "+//+");
}

// As Chromium 156 offers it: 65,535 streams, FORWARD-TSN and RE-CONFIG.
TEST(SctpInit, ReadsChromiums) {
  const auto chunk = read_sctp_init("AQAAHgAMbPAAUAAA/////xdlRzvAAAAEgAgABoLA");
  ASSERT_TRUE(chunk);
  EXPECT_EQ(to_hex(*chunk),
            "0100001e000c6cf000500000ffffffff1765473bc000000480080006"
            "82c0");
}

TEST(SctpInit, ComesBack) {
  auto chunk = from_hex("01 00 00 18 00 00 00 01 00 00 00 02 00 03 00 04 00 00 00 05 80 08 00 04");
  for (std::size_t padding = 0; padding < 3; ++padding) {
    EXPECT_EQ(read_sctp_init(write_sctp_init(chunk)), chunk);
    chunk.push_back(std::byte{0});
  }
}

TEST(SctpInit, Malformed) {
  const auto good = write_sctp_init(from_hex(kInit));
  ASSERT_TRUE(read_sctp_init(good));
  for (const auto& text :
       {std::string{}, good.substr(1), good.substr(0, good.size() - 1),
        good.substr(0, good.size() - 2), good + "A", good + "====", " " + good + "   ",
        good.substr(0, 8) + "!" + good.substr(9), good.substr(0, 8) + "=" + good.substr(9),
        good.substr(0, good.size() - 8), std::string("===="),
        good.substr(0, good.size() - 4) + "AB==", std::string(2000, 'A')}) {
    EXPECT_FALSE(read_sctp_init(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::data_channel
