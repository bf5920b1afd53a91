#include "entry.h"

#include <gtest/gtest.h>

#include <string>

#include "requests.h"

namespace sluice::session_stores {
namespace {

using test::bytes_of;

Buffer buffer_of(std::string_view text) {
  const Bytes bytes = bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

bool equal(const Entry& a, const Entry& b) {
  return a.expires == b.expires && a.other_connection_ids == b.other_connection_ids &&
         a.session == b.session;
}

TEST(EntryTest, DecodesWhatItHasEncoded) {
  const std::string longest(kMaxConnectionId, 'x');
  for (const Entry& entry :
       {Entry{0, {}, buffer_of("s")}, Entry{1'800'000'000, {buffer_of("id")}, buffer_of("session")},
        Entry{(std::int64_t{1} << 40) - 1, std::vector(kMaxConnectionIds - 1, buffer_of(longest)),
              Buffer(kMaxSession)}}) {
    const auto decoded = decode(encode(entry));
    ASSERT_TRUE(decoded);
    EXPECT_TRUE(equal(*decoded, entry));
    EXPECT_EQ(expiry_of(encode(entry)), entry.expires);
  }
}

TEST(EntryTest, RefusesWhatIsCutOffBeforeTheSession) {
  const Buffer whole = encode({1, {buffer_of("id"), buffer_of("id2")}, buffer_of("s")});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode(Bytes(whole).first(size))) << size;
  }
}

TEST(EntryTest, RefusesOtherVersionsAndLengthsOutOfRange) {
  Buffer bytes = encode({1, {buffer_of("id")}, buffer_of("s")});
  bytes.front() = std::byte{2};
  EXPECT_FALSE(decode(bytes));
  bytes.front() = std::byte{1};
  ASSERT_TRUE(decode(bytes));
  bytes[7] = std::byte{0};  // a connection ID without a byte
  EXPECT_FALSE(decode(bytes));
  EXPECT_FALSE(decode(encode({1, {}, Buffer(kMaxSession + 1)})));
  EXPECT_FALSE(decode(encode({1, std::vector(kMaxConnectionIds, buffer_of("a")), buffer_of("s")})));
}

}  // namespace
}  // namespace sluice::session_stores
