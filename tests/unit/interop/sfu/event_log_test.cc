#include "sfu/operations/event_log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace sluice::interop::sfu {
namespace {

constexpr const char* kTime = "2026-11-30T17:00:00.000Z";

LogEntry entry_with(const std::string& reason) {
  return {.level = LogLevel::warning, .event = "thing", .fields = {{"reason", reason}}};
}

TEST(EventLog, WritesLogfmt) {
  EXPECT_EQ(log_line({.event = "session_ended", .fields = {{"room", "a"}, {"reason", "silent"}}},
                     LogFormat::logfmt, kTime),
            "time=2026-11-30T17:00:00.000Z level=info event=session_ended room=a reason=silent");
}

TEST(EventLog, WritesJson) {
  EXPECT_EQ(
      log_line(entry_with("b"), LogFormat::json, kTime),
      R"({"time":"2026-11-30T17:00:00.000Z","level":"warning","event":"thing","reason":"b"})");
}

TEST(EventLog, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(log_line(entry_with(""), LogFormat::logfmt, kTime),
            "time=2026-11-30T17:00:00.000Z level=warning event=thing");
}

// What strangers send stays in its value and on its line.
TEST(EventLog, QuotesWhatIsNoWord) {
  const auto value = [](const std::string& reason) {
    const auto line = log_line(entry_with(reason), LogFormat::logfmt, kTime);
    return line.substr(line.find("reason=") + 7);
  };
  EXPECT_EQ(value("two words"), R"("two words")");
  EXPECT_EQ(value("a=b"), R"("a=b")");
  EXPECT_EQ(value("x\nlevel=error"), R"("x\nlevel=error")");
  EXPECT_EQ(value("\"\\"), R"("\"\\")");
  EXPECT_EQ(value("\x1b[31m"), R"("\u001b[31m")");
  EXPECT_EQ(value("\x7f"), R"("\u007f")");
  EXPECT_EQ(value("\u00e9"), R"("\u00e9")");
  EXPECT_EQ(value("\xff"), R"("\ufffd")") << "no UTF-8";
}

TEST(EventLog, CutsLongValues) {
  const auto line = log_line(entry_with(std::string(10'000, 'x')), LogFormat::json, kTime);
  EXPECT_EQ(nlohmann::json::parse(line)["reason"], std::string(kMaxLogValue, 'x'));
}

}  // namespace
}  // namespace sluice::interop::sfu
