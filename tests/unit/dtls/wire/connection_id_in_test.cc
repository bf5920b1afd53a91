// Where load balancers, and an Endpoint, find the connection ID of a datagram.
#include <gtest/gtest.h>

#include <sluice/dtls/routable_connection_id.h>

#include "support/bytes.h"

namespace sluice::dtls {
namespace {

using test::copy_of;
using test::from_hex;
using test::to_hex;

std::string found_in(std::string_view datagram, std::size_t size) {
  const Buffer bytes = from_hex(datagram);
  const auto id = connection_id_in(bytes, size);
  return id ? to_hex(*id) : "none";
}

// Empty: none.
std::string id_in(const std::string& datagram, std::size_t size) {
  return to_hex(connection_id_in(from_hex(datagram), size).value_or(Bytes{}));
}

// RFC 9146 section 4.
TEST(ConnectionIdIn, IsAfterTheSequenceNumberOfTls12Cid) {
  EXPECT_EQ(found_in("19 fefd 0001 000000000005 a1a2a3 0010 00", 3), "a1a2a3");
  EXPECT_EQ(found_in("19 fefd 0001 000000000005 a1a2a3", 3), "a1a2a3");
  EXPECT_EQ(found_in("19 fefd 0001 000000000005 a1a2", 3), "none");
  EXPECT_EQ(found_in("19", 1), "none");
}

// RFC 9147 section 4: 0 0 1 C S L E E.
TEST(ConnectionIdIn, IsAfterTheFirstByteOfAUnifiedHeaderWithC) {
  for (unsigned flags = 0; flags < 256; ++flags) {
    if (flags == 25) continue;  // tls12_cid
    Buffer datagram = from_hex("00 a1a2a3 0001 0002 0000");
    datagram[0] = static_cast<std::byte>(flags);
    const auto id = connection_id_in(datagram, 3);
    EXPECT_EQ(id.has_value(), flags >> 4 == 3U) << flags;
    EXPECT_EQ(id ? to_hex(*id) : "a1a2a3", "a1a2a3");
  }
  EXPECT_EQ(found_in("30 a1a2", 3), "none");
}

TEST(ConnectionIdIn, HasASizeFrom1To255) {
  const Buffer datagram = copy_of(test::joined({from_hex("30"), test::counted(300)}));
  EXPECT_TRUE(connection_id_in(datagram, 255));
  EXPECT_FALSE(connection_id_in(datagram, 0));
  EXPECT_FALSE(connection_id_in(datagram, 256));
  EXPECT_FALSE(connection_id_in({}, 8));
}

TEST(ConnectionIdInARecord, ATls12CidRecord) {
  const std::string record = "19fefd00010000000000020102030400050000000000";
  EXPECT_EQ(id_in(record, 4), "01020304");
  EXPECT_EQ(id_in(record, 1), "01");
  EXPECT_EQ(id_in(record, 0), "");
  EXPECT_EQ(id_in(record.substr(0, 30), 4), "01020304");
  EXPECT_EQ(id_in(record.substr(0, 28), 4), "") << "too short";
  EXPECT_EQ(id_in("17" + record.substr(2), 4), "") << "application_data";
}

TEST(ConnectionIdInARecord, AUnifiedHeader) {
  EXPECT_EQ(id_in("3f0102030405060007", 3), "010203");
  EXPECT_EQ(id_in("30010203", 3), "010203");
  EXPECT_EQ(id_in("300102", 3), "") << "too short";
  EXPECT_EQ(id_in("2f0102030405060007", 3), "") << "the C bit is clear";
  EXPECT_EQ(id_in("3f0102030405060007", 0), "");
  EXPECT_EQ(id_in("50010203", 3), "") << "not a unified header";
}

TEST(ConnectionIdInARecord, AnEmptyDatagram) { EXPECT_EQ(id_in("", 4), ""); }

}  // namespace
}  // namespace sluice::dtls
