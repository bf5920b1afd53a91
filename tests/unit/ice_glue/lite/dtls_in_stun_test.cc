// DTLS in STUN: what a session remembers of it.
#include "dtls_in_stun.h"

#include <gtest/gtest.h>
#include <sluice/stun/crc32.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "support/bytes.h"

namespace sluice::ice_lite {
namespace {

using test::bytes_of;

constexpr std::size_t kMtu = 1200;
constexpr dtls::PathId kPath{3};

dtls::Buffer hash_of(std::string_view text) {
  const std::uint32_t hash = stun::crc32(bytes_of(text));
  dtls::Buffer bytes;
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::byte>(hash >> shift));
  return bytes;
}

std::string text_of(const DtlsInStun::Pending* pending) {
  if (pending == nullptr) return "none";
  return {reinterpret_cast<const char*>(pending->datagram.data()), pending->datagram.size()};
}

class DtlsInStunTest : public testing::Test {
 protected:
  void add_flight(std::initializer_list<std::string_view> datagrams) {
    for (const auto each : datagrams) in_stun_.add(bytes_of(each), kPath);
    in_stun_.end_flight();
  }
  bool acknowledge(dtls::Bytes hashes) { return in_stun_.on_check(std::nullopt, hashes); }

  DtlsInStun in_stun_{kMtu};
};

TEST_F(DtlsInStunTest, ResponsesCarryTheDatagramsInTurn) {
  EXPECT_EQ(text_of(in_stun_.next()), "none");
  add_flight({"a", "b", "c"});
  for (const char* expected : {"a", "b", "c", "a", "b"}) {
    EXPECT_EQ(text_of(in_stun_.next()), expected);
  }
}

// Who forges the address of others in its own checks has no more than this sent to them, however
// many checks it sends.
TEST_F(DtlsInStunTest, EachDatagramIsCarriedSoManyTimes) {
  add_flight({"a", "b"});
  std::string carried;
  for (int i = 0; i < 100; ++i) carried += text_of(in_stun_.next())[0];
  EXPECT_EQ(carried, "abababababababab" + std::string(84, 'n')) << "8 of each, then none";
  EXPECT_NE(in_stun_.first_unsent(), nullptr) << "it is still sent by itself";
  add_flight({"c"});
  EXPECT_EQ(text_of(in_stun_.next()), "c");
}

TEST_F(DtlsInStunTest, NothingOfAnAssociationThatIsReplacedIsSent) {
  add_flight({"a", "b"});
  in_stun_.forget_sent();
  EXPECT_EQ(text_of(in_stun_.next()), "none");
  EXPECT_EQ(in_stun_.first_unsent(), nullptr);
  add_flight({"c"});
  EXPECT_EQ(text_of(in_stun_.next()), "c");
}

TEST_F(DtlsInStunTest, AcknowledgedDatagramsAreNotCarriedAgain) {
  add_flight({"a", "b", "c"});
  EXPECT_TRUE(acknowledge(test::joined({hash_of("b"), hash_of("of another flight")})));
  for (const char* expected : {"a", "c", "a"}) EXPECT_EQ(text_of(in_stun_.next()), expected);
  EXPECT_TRUE(acknowledge(test::joined({hash_of("a"), hash_of("c")})));
  EXPECT_EQ(text_of(in_stun_.next()), "none");
}

TEST_F(DtlsInStunTest, ANewFlightTakesThePlaceOfTheFormer) {
  add_flight({"a", "b"});
  add_flight({"c"});
  for (const char* expected : {"c", "c"}) EXPECT_EQ(text_of(in_stun_.next()), expected);
}

TEST_F(DtlsInStunTest, AFlightHasABound) {
  for (char c = 'a'; c <= 'z'; ++c) in_stun_.add(bytes_of({&c, 1}), kPath);
  in_stun_.end_flight();
  std::string carried;
  for (int i = 0; i < 16; ++i) carried += text_of(in_stun_.next());
  EXPECT_EQ(carried, "klmnopqrstuvwxyz");
}

TEST_F(DtlsInStunTest, EachLeavesOutsideOfStunOnce) {
  add_flight({"a", "b"});
  for (const char* expected : {"a", "b"}) {
    auto* const unsent = in_stun_.first_unsent();
    EXPECT_EQ(text_of(unsent), expected);
    ASSERT_NE(unsent, nullptr);
    unsent->is_unsent = false;
  }
  EXPECT_EQ(in_stun_.first_unsent(), nullptr);
}

TEST_F(DtlsInStunTest, AcknowledgesTheLastFourDatagrams) {
  EXPECT_TRUE(in_stun_.received().empty());
  in_stun_.on_received(bytes_of("a"));
  EXPECT_EQ(in_stun_.received().size(), 1U);
  for (const char* each : {"b", "c", "d", "e"}) in_stun_.on_received(bytes_of(each));
  const auto received = in_stun_.received();
  ASSERT_EQ(received.size(), 4U);
  for (const char* each : {"b", "c", "d", "e"}) {
    EXPECT_EQ(std::ranges::count(received, stun::crc32(bytes_of(each))), 1) << each;
  }
}

TEST_F(DtlsInStunTest, ACheckWithNeitherAttributeEndsIt) {
  EXPECT_FALSE(in_stun_.is_used());
  EXPECT_FALSE(in_stun_.on_check(std::nullopt, std::nullopt));
  EXPECT_FALSE(in_stun_.is_used());
  EXPECT_TRUE(in_stun_.on_check(std::nullopt, dtls::Bytes{}));
  EXPECT_TRUE(in_stun_.is_used());
}

TEST_F(DtlsInStunTest, AcknowledgementsOfAnySizeAreTaken) {
  add_flight({"a"});
  const auto hash = hash_of("a");
  EXPECT_TRUE(acknowledge(dtls::Bytes(hash).first(3)));
  EXPECT_EQ(text_of(in_stun_.next()), "a");
  // The fifth does not count.
  EXPECT_TRUE(acknowledge(test::joined({dtls::Buffer(16), hash})));
  EXPECT_EQ(text_of(in_stun_.next()), "a");
  EXPECT_TRUE(acknowledge(test::joined({hash, dtls::Buffer(3)})));
  EXPECT_EQ(text_of(in_stun_.next()), "none");
}

}  // namespace
}  // namespace sluice::ice_lite
