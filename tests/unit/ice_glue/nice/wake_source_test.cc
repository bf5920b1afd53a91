#include "wake_source.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "support/main_context.h"

namespace sluice::nice {
namespace {

TEST(WakeSource, CallsBackOnceAWakeAndNeverAtOnce) {
  test::MainContext context;
  int calls = 0;
  WakeSource source(context.get(), [&] { ++calls; });
  context.run_ready();
  EXPECT_EQ(calls, 0);
  source.wake();
  source.wake();
  EXPECT_EQ(calls, 0);
  context.run_ready();
  EXPECT_EQ(calls, 1);
}

TEST(WakeSource, CallsBackAtItsTimeAndNotBefore) {
  test::MainContext context;
  std::optional<gint64> called_at;
  WakeSource source(context.get(), [&] { called_at = g_get_monotonic_time(); });
  const auto at = g_get_monotonic_time() + 20'000;
  source.set_time(at);
  ASSERT_TRUE(context.run_until([&] { return called_at.has_value(); }));
  EXPECT_GE(*called_at, at);
  called_at.reset();
  context.run_ready();
  EXPECT_FALSE(called_at.has_value());
}

TEST(WakeSource, ATimeDoesNotReplaceAWake) {
  test::MainContext context;
  int calls = 0;
  WakeSource source(context.get(), [&] { ++calls; });
  source.wake();
  source.set_time(std::nullopt);
  context.run_ready();
  EXPECT_EQ(calls, 1);
}

TEST(WakeSource, NoTimeTakesATimeBack) {
  test::MainContext context;
  int calls = 0;
  WakeSource source(context.get(), [&] { ++calls; });
  source.set_time(g_get_monotonic_time());
  source.set_time(std::nullopt);
  context.run_ready();
  EXPECT_EQ(calls, 0);
}

TEST(WakeSource, MayGoInItsOwnCall) {
  test::MainContext context;
  bool called = false;
  std::optional<WakeSource> source;
  source.emplace(context.get(), [&] {
    called = true;
    source.reset();
  });
  source->wake();
  context.run_ready();
  EXPECT_TRUE(called);
}

}  // namespace
}  // namespace sluice::nice
