// Paths that come, change and go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "call.h"

namespace sluice::transport {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

TEST(Paths, MediaGoesWhereIceSelects) {
  Call call;
  call.connect();
  EXPECT_EQ(call.client.transport.path(), kPathA);
  call.validate(call.server, kPathB);
  call.select(call.client, kPathB);
  EXPECT_EQ(call.client.transport.path(), kPathB);
  EXPECT_TRUE(call.send_rtp(call.client, make_rtp()));
  call.run_for(100ms);
  EXPECT_THAT(call.server.rtp, ElementsAre(make_rtp()));
  EXPECT_EQ(call.server.transport.path(), kPathA) << "each end selects for itself";
}

TEST(Paths, ASelectedPathCountsAsChecked) {
  Call call;
  call.connect();
  call.select_both(kPathB);
  EXPECT_TRUE(call.send_rtp(call.client, make_rtp()));
  call.run_for(100ms);
  EXPECT_THAT(call.server.rtp, ElementsAre(make_rtp()));
}

TEST(Paths, DtlsFollowsTheSelection) {
  Call call;
  call.set_up(kPathA);
  call.validate(call.client, kPathB);
  call.select(call.server, kPathB);
  std::vector<PathId> answers;
  call.network = [&](Flight& flight) {
    if (!flight.to_server) answers.push_back(flight.path);
    return true;
  };
  call.run_for(1s);
  EXPECT_THAT(call.client.connected, SizeIs(1));
  EXPECT_THAT(answers, testing::Each(kPathB));
}

TEST(Paths, ARemovedPathTakesNothingAndSendsNothing) {
  Call call;
  call.connect();
  call.client.transport.path_removed(kPathA);
  EXPECT_EQ(call.client.transport.path(), std::nullopt);
  EXPECT_TRUE(call.client.transport.connected()) << "the keys are as good as before";
  EXPECT_TRUE(call.send_rtp(call.server, make_rtp()));
  call.run_for(100ms);
  EXPECT_THAT(call.client.rtp, testing::IsEmpty());
  EXPECT_EQ(call.client.transport.statistics().count(Drop::unvalidated_path), 1U);

  std::size_t sent = 0;
  call.network = [&](Flight&) { return ++sent, true; };
  call.settle(call.client, call.client.transport.close(call.now));
  EXPECT_EQ(sent, 0U);
}

TEST(Paths, WhatLeavesMayBeTakenForOnePathAlone) {
  Call call;
  auto& client = call.client.transport;
  ASSERT_TRUE(client.start(dtls::Role::client, call.now));
  ASSERT_TRUE(client.path_selected(kPathA, std::nullopt, call.now));
  std::array<std::byte, dtls::kMaxDatagram> buffer{};
  EXPECT_FALSE(client.poll_transmit(buffer, kPathB));
  const auto hello = client.poll_transmit(buffer, kPathA);
  ASSERT_TRUE(hello) << "it has stayed";
  EXPECT_EQ(hello->path, kPathA);
}

TEST(Paths, AHandshakeGoesOnWhenAPathComesBack) {
  Call call;
  call.set_up(kPathA);
  call.client.transport.path_removed(kPathA);
  std::size_t sent = 0;
  call.network = [&](Flight& flight) { return sent += flight.to_server, true; };
  call.run_for(5s);
  EXPECT_EQ(sent, 0U) << "timers expire, but nothing leaves";
  call.select_both(kPathB);
  EXPECT_GT(sent, 0U) << "what waited leaves at once";
  call.run_for(5s);
  EXPECT_THAT(call.client.connected, SizeIs(1));
}

TEST(Paths, TheirNumberIsBounded) {
  CallOptions options;
  options.server.max_paths = 2;
  Call call(options);
  call.connect();
  call.validate(call.server, kPathB);
  call.validate(call.server, PathId{3});
  call.select(call.server, PathId{4});
  call.validate(call.server, kPathB);
  EXPECT_EQ(call.server.transport.statistics().paths_refused, 2U);
  EXPECT_EQ(call.server.transport.path(), kPathA);
  call.server.transport.path_removed(kPathB);
  call.validate(call.server, PathId{3});
  EXPECT_EQ(call.server.transport.statistics().paths_refused, 2U);
}

TEST(Paths, TheMtuBoundsTheHandshakesDatagrams) {
  Call call;
  call.client.transport.set_path_mtu(300);
  call.server.transport.set_path_mtu(300);
  std::size_t largest = 0;
  call.network = [&](Flight& flight) {
    largest = std::max(largest, flight.bytes.size());
    return true;
  };
  call.connect();
  EXPECT_LE(largest, 300U);
  EXPECT_GT(largest, 200U);
}

}  // namespace
}  // namespace sluice::transport
