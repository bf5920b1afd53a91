#include "message/key_share.h"

#include <gtest/gtest.h>

#include "unit/dtls/message/exactness.h"

namespace sluice::dtls::message {
namespace {

using test::expect_exact;
using test::from_hex;
using test::to_hex;

// A list with a share of one byte for each group.
Buffer shares_of(const std::vector<std::uint16_t>& groups) {
  Buffer data;
  wire::Writer out(data);
  const auto list = out.vector16();
  for (const std::uint16_t group : groups)
    put_share(out, {NamedGroup{group}, Bytes(from_hex("5a"))});
  return data;
}

std::vector<std::uint16_t> groups_from(std::uint16_t first, std::size_t count) {
  std::vector<std::uint16_t> groups;
  for (std::size_t i = 0; i < count; ++i) groups.push_back(static_cast<std::uint16_t>(first + i));
  return groups;
}

TEST(ClientShares, AreReadWholeOnly) {
  const Buffer data = from_hex("000b 001d 0001 aa 0017 0002 bbcc");
  const auto shares = ClientShares::decode(data);
  ASSERT_TRUE(shares);
  EXPECT_EQ(shares->count(), 2U);
  EXPECT_EQ(to_hex(shares->find(NamedGroup::secp256r1).value()), "bbcc");
  EXPECT_FALSE(shares->find(NamedGroup::secp384r1));
  expect_exact(data, [](const Buffer& cut) { return ClientShares::decode(cut).has_value(); });
}

// RFC 8446 section 4.2.8: key_exchange<1..2^16-1>.
TEST(ClientShares, NoShareIsEmpty) {
  EXPECT_FALSE(ClientShares::decode(from_hex("0004 001d 0000")));
  EXPECT_FALSE(ClientShares::decode(from_hex("0009 001d 0001 aa 0017 0000")));
}

// RFC 8446 section 4.2.8.
TEST(ClientShares, NoGroupOccursTwiceWhereverItIs) {
  for (const std::size_t at : {0U, 1U, 30U, 62U}) {
    auto groups = groups_from(100, 63);
    groups.push_back(groups[at]);
    EXPECT_FALSE(ClientShares::decode(shares_of(groups))) << at;
  }
  EXPECT_FALSE(ClientShares::decode(shares_of({0, 0})));
}

// 13,000 fit into a hello. The server must not compare each with each.
TEST(ClientShares, TakesManyAndStaysBounded) {
  EXPECT_TRUE(ClientShares::decode(shares_of({})));
  EXPECT_TRUE(ClientShares::decode(shares_of(groups_from(0, 64))));
  EXPECT_FALSE(ClientShares::decode(shares_of(groups_from(0, 65))));
  EXPECT_FALSE(ClientShares::decode(shares_of(groups_from(0, 13'000))));
}

}  // namespace
}  // namespace sluice::dtls::message
