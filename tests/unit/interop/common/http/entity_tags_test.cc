// If-Match (RFC 9110 section 13.1.1).
#include "common/http/entity_tags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::interop {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(EntityTags, AnyIsNoTag) {
  for (const auto* value : {"*", " * ", "\"*\"", R"("a", "*")"}) {
    const auto parsed = parse_if_match(value);
    ASSERT_TRUE(parsed) << value;
    EXPECT_TRUE(parsed->is_any) << value;
  }
}

TEST(EntityTags, AListHasAtLeastOne) {
  EXPECT_THAT(parse_if_match("\"xyzzy\"")->tags, ElementsAre("xyzzy"));
  EXPECT_FALSE(parse_if_match("\"xyzzy\"")->is_any);
  EXPECT_THAT(parse_if_match("\"a\",\"b/+\" ,\t\"c,d\"")->tags, ElementsAre("a", "b/+", "c,d"));
  EXPECT_THAT(parse_if_match(",, \"a\" ,,")->tags, ElementsAre("a"));
  EXPECT_THAT(parse_if_match("\"\"")->tags, ElementsAre(""));
}

// RFC 9110 section 8.8.3.2.
TEST(EntityTags, WeakOnesMatchNothing) {
  const auto weak = parse_if_match("W/\"a\"");
  ASSERT_TRUE(weak);
  EXPECT_FALSE(weak->is_any);
  EXPECT_THAT(weak->tags, IsEmpty());
  EXPECT_THAT(parse_if_match("W/\"a\", \"b\"")->tags, ElementsAre("b"));
}

TEST(EntityTags, MalformedOnes) {
  for (const auto* value :
       {"", " ", ",", "a", "'a'", "\"a", "a\"", R"("a" "b")", "\"a\"b", "\"a b\"", "w/\"a\"",
        "W/ \"a\"", "W/", "*, \"a\"", "**", "\"a\x7f\"", "\"a\tb\""}) {
    EXPECT_FALSE(parse_if_match(value)) << value;
  }
}

TEST(EntityTags, AreWrittenInQuotes) { EXPECT_EQ(entity_tag("aB+/"), "\"aB+/\""); }

}  // namespace
}  // namespace sluice::interop
