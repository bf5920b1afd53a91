#include "load/load_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

namespace sluice::interop::load {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

MemberReport viewer(std::uint64_t unique, std::uint64_t lost, dtls::Duration delay = 1ms) {
  MemberReport report{.id = MemberId{static_cast<std::uint32_t>(unique)},
                      .connected_after = 5ms,
                      .first_packet_after = 9ms,
                      .streams = 1};
  report.received.packets = report.received.unique = unique;
  report.received.lost = lost;
  report.received.longest_gap = 33ms;
  for (std::uint64_t i = 0; i < unique; ++i) report.received.delays.add(delay);
  return report;
}

LoadReport two_viewers() {
  LoadReport report{.publishers = 1, .viewers = 2};
  report.add({.is_publisher = true,
              .connected_after = 3ms,
              .dropped_unread = 7,
              .sent = {{SourceId{1}, 100}, {SourceId{2}, 50}},
              .sent_bytes = 1000,
              .lost_on_the_way = 3,
              .key_frames = 2});
  report.add(viewer(100, 0));
  report.add(viewer(90, 10, 20ms));
  report.seconds = 2;
  report.packets_meanwhile = 190;
  report.bytes_meanwhile = 1000;
  return report;
}

TEST(LoadReport, AddsUpWhatMembersTell) {
  const auto report = two_viewers();
  EXPECT_EQ(report.publishers_connected, 1U);
  EXPECT_EQ(report.viewers_connected, 2U);
  EXPECT_EQ(report.viewers_with_media, 2U);
  EXPECT_EQ(report.connected.total(), 3U);
  EXPECT_EQ(report.first_packet.total(), 2U);
  EXPECT_EQ(report.sent_packets, 150U);
  EXPECT_EQ(report.lost_to_server, 3U);
  EXPECT_EQ(report.dropped_unread, 7U);
  EXPECT_EQ(report.received.unique, 190U);
  EXPECT_DOUBLE_EQ(loss_percent(report.received), 5);
  EXPECT_DOUBLE_EQ(report.packets_per_second(), 95);
  EXPECT_DOUBLE_EQ(report.bits_per_second(), 4000);
}

TEST(LoadReport, NamesTheWorstViewer) {
  const auto report = two_viewers();
  EXPECT_DOUBLE_EQ(report.worst.loss, 10);
  EXPECT_EQ(report.worst.loss_of, MemberId{90});
  EXPECT_GE(report.worst.delay_p99, 20ms);
  EXPECT_EQ(report.worst.longest_gap, 33ms);
}

TEST(LoadReport, NothingExpectedIsNothingLost) { EXPECT_DOUBLE_EQ(loss_percent({}), 0); }

TEST(LoadLimits, AnythingGoesWithoutThem) { EXPECT_THAT(violations(two_viewers(), {}), IsEmpty()); }

TEST(LoadLimits, EachIsKept) {
  auto report = two_viewers();
  report.received.corrupt = 2;
  report.unexpected = 1;
  report.received.duplicates = 4;
  report.received.sequence_breaks = 5;
  report.received.timestamp_breaks = 6;
  EXPECT_THAT(violations(report, {.loss = 5,
                                  .delay_p99_ms = 21,
                                  .gap_ms = 33,
                                  .corrupt = 3,
                                  .duplicates = 4,
                                  .breaks = 11}),
              IsEmpty());
  EXPECT_THAT(violations(report, {.loss = 4.9}), ElementsAre("loss in percent: 5, above 4.9"));
  EXPECT_THAT(violations(report, {.delay_p99_ms = 19}), ElementsAre(HasSubstr("percentile")));
  EXPECT_THAT(violations(report, {.gap_ms = 32}), ElementsAre("longest gap in ms: 33, above 32"));
  EXPECT_THAT(violations(report, {.corrupt = 2}), ElementsAre("corrupt packets: 3, above 2"));
  EXPECT_THAT(violations(report, {.duplicates = 3}), ElementsAre("duplicates: 4, above 3"));
  EXPECT_THAT(violations(report, {.breaks = 10}), ElementsAre(HasSubstr("11, above 10")));
}

TEST(LoadLimits, FailuresAreNeverAllowed) {
  auto report = two_viewers();
  report.fail("no candidate answers");
  report.add({.end = "closed"});
  report.add({.end = "closed"});
  report.add({.connected_after = 1ms});
  report.add({.connected_after = 1ms, .connected_for = 2s}, true);
  report.add({.connected_after = 1ms, .connected_for = 3s}, true);
  EXPECT_THAT(violations(report, {}), ElementsAre("2 x closed", "1 x no candidate answers",
                                                  "2 viewers were connected and got no packet"));
}

TEST(LoadReport, IsATableForPeople) {
  const auto table = to_table(two_viewers());
  EXPECT_THAT(table, HasSubstr("1 of 1 publishers, 2 of 2 viewers"));
  EXPECT_THAT(table, HasSubstr("10 (5.0000 %)"));
  EXPECT_THAT(table, HasSubstr("95 packets/s"));
}

TEST(LoadReport, IsJson) {
  const auto json = nlohmann::json::parse(to_json(two_viewers(), {"too slow"}));
  EXPECT_EQ(json["viewers"]["connected"], 2);
  EXPECT_EQ(json["publishers"]["packets"], 150);
  EXPECT_EQ(json["received"]["lost"], 10);
  EXPECT_EQ(json["received"]["loss_percent"], 5);
  EXPECT_EQ(json["received"]["delay"]["count"], 190);
  EXPECT_EQ(json["worst_viewer"]["loss_percent"], 10);
  EXPECT_EQ(json["packets_per_second"], 95);
  EXPECT_EQ(json["violations"][0], "too slow");
}

}  // namespace
}  // namespace sluice::interop::load
