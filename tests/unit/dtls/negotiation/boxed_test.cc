#include "negotiation/boxed.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace sluice::dtls::handshake {
namespace {

TEST(Boxed, IsTheDefaultInOnePointer) {
  const Boxed<std::string> boxed;
  EXPECT_EQ(*boxed, "");
  EXPECT_TRUE(boxed->empty());
  static_assert(sizeof(boxed) == sizeof(void*));
}

TEST(Boxed, ACopyIsAnotherValue) {
  Boxed<std::string> boxed;
  boxed.edit() = "a";
  const Boxed<std::string> copy = boxed;
  Boxed<std::string> assigned;
  assigned.edit() = "old";
  assigned = boxed;
  boxed.edit() = "b";
  EXPECT_EQ(*copy, "a");
  EXPECT_EQ(*assigned, "a");
  assigned = Boxed<std::string>{};
  EXPECT_EQ(*assigned, "");
}

TEST(Boxed, AMoveTakesTheValue) {
  Boxed<std::string> boxed;
  boxed.edit() = "a";
  const std::string* const address = &*boxed;
  const Boxed<std::string> moved = std::move(boxed);
  EXPECT_EQ(&*moved, address);
}

}  // namespace
}  // namespace sluice::dtls::handshake
