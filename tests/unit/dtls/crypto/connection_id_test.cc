#include <sluice/dtls/connection_id.h>

#include <gtest/gtest.h>

#include <utility>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls {
namespace {

using test::counted;
using test::to_hex;

TEST(ConnectionId, IsEmptyUntilItHasBytes) {
  const ConnectionId none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.size(), 0U);
  EXPECT_TRUE(none.bytes().empty());
  EXPECT_EQ(none, ConnectionId(Bytes{}));
}

TEST(ConnectionId, HasItsBytesAtAnySize) {
  for (std::size_t size = 0; size <= kMaxConnectionId; ++size) {
    const Buffer bytes = counted(size);
    const ConnectionId id(bytes);
    EXPECT_EQ(to_hex(id.bytes()), to_hex(bytes));
    ConnectionId moved = ConnectionId(id);
    const ConnectionId copy = moved;
    ConnectionId assigned(counted(30));
    assigned = std::move(moved);
    EXPECT_EQ(to_hex(copy.bytes()), to_hex(bytes));
    EXPECT_EQ(to_hex(assigned.bytes()), to_hex(bytes));
  }
}

TEST(ConnectionId, HasNoMoreThanTheLargestSize) {
  EXPECT_EQ(ConnectionId(counted(300)).size(), kMaxConnectionId);
}

TEST(ConnectionId, IsEqualByItsBytes) {
  for (const std::size_t size : {1U, 8U, 20U, 21U, 255U}) {
    Buffer bytes = counted(size);
    const ConnectionId id(bytes);
    EXPECT_EQ(id, ConnectionId(bytes));
    EXPECT_NE(id, ConnectionId(Bytes(bytes).first(size - 1)));
    bytes.back() ^= std::byte{1};
    EXPECT_NE(id, ConnectionId(bytes));
  }
}

TEST(RandomConnectionIds, DifferEachTime) {
  RandomConnectionIds source(test::environment(), 8);
  ASSERT_EQ(source.size(), 8U);
  Buffer first(8);
  Buffer second(8);
  test::must(source.make(first));
  test::must(source.make(second));
  EXPECT_NE(to_hex(first), to_hex(second));
  EXPECT_NE(to_hex(first), to_hex(Buffer(8)));
}

}  // namespace
}  // namespace sluice::dtls
