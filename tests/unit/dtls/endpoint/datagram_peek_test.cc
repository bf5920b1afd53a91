// Where connection IDs are in records (RFC 9146 section 4, RFC 9147 section 4).
#include "endpoint/datagram_peek.h"

#include <gtest/gtest.h>

#include "support/bytes.h"

namespace sluice::dtls::endpoint {
namespace {

using test::from_hex;
using test::to_hex;

std::string id_in(const std::string& datagram, std::size_t size) {
  return to_hex(connection_id_of(from_hex(datagram), size));
}

TEST(ConnectionIdOf, ATls12CidRecord) {
  const std::string record = "19fefd00010000000000020102030400050000000000";
  EXPECT_EQ(id_in(record, 4), "01020304");
  EXPECT_EQ(id_in(record, 1), "01");
  EXPECT_EQ(id_in(record, 0), "");
  EXPECT_EQ(id_in(record.substr(0, 30), 4), "01020304");
  EXPECT_EQ(id_in(record.substr(0, 28), 4), "") << "too short";
  EXPECT_EQ(id_in("17" + record.substr(2), 4), "") << "application_data";
}

TEST(ConnectionIdOf, AUnifiedHeader) {
  EXPECT_EQ(id_in("3f0102030405060007", 3), "010203");
  EXPECT_EQ(id_in("30010203", 3), "010203");
  EXPECT_EQ(id_in("300102", 3), "") << "too short";
  EXPECT_EQ(id_in("2f0102030405060007", 3), "") << "the C bit is clear";
  EXPECT_EQ(id_in("3f0102030405060007", 0), "");
  EXPECT_EQ(id_in("50010203", 3), "") << "not a unified header";
}

TEST(ConnectionIdOf, AnEmptyDatagram) { EXPECT_EQ(id_in("", 4), ""); }

}  // namespace
}  // namespace sluice::dtls::endpoint
