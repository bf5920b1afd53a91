#include "sfu/workers/steering.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <sluice/stun/writer.h>

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;

dtls::UdpPath from_port(std::uint16_t port) {
  return {.peer = {dtls::Ipv4Address{192, 0, 2, 1}, port}};
}

dtls::Buffer check(const std::string_view username) {
  std::array<std::byte, 256> bytes{};
  stun::Writer writer(bytes, stun::MessageClass::request, stun::Method::binding, {});
  writer.username(username);
  return {bytes.begin(), bytes.begin() + static_cast<long>(*writer.finish())};
}

class SteeringTest : public testing::Test {
 protected:
  SteeringTest() { session_.add_ufrag("ufrag"); }

  void send(dtls::Buffer bytes, std::uint16_t port) {
    steering_.handle_datagram(bytes, from_port(port), now_);
    steering_.flush();
  }
  // Takes what has come to a worker: the header of each record.
  std::vector<PortHeader> received(std::size_t worker) {
    std::vector<PortHeader> headers;
    auto& queue = exchange_->to_worker(worker);
    while (const auto record = queue.next()) headers.push_back(record->header);
    queue.release();
    return headers;
  }

  dtls::Instant now_ = dtls::Instant(1h);
  std::unique_ptr<Exchange> exchange_ = Exchange::make(3).value();
  Directory directory_{{}, 3};
  Admission session_ = directory_.readmit(
      2, {.id = "id", .room = "room", .address = "192.0.2.1", .publishes = true});
  Steering steering_{directory_, *exchange_, 100};
  const dtls::Buffer media_ = dtls::Buffer(100, std::byte{0x80});
};

TEST_F(SteeringTest, ChecksGoByTheirUfragAndMediaFollows) {
  send(check("ufrag:peer"), 1);
  send(media_, 1);
  const auto headers = received(2);
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers[0].path, from_port(1));
  EXPECT_FALSE(headers[0].is_certain);
  EXPECT_FALSE(steering_.find(from_port(1))) << "until the worker says so";
  steering_.take(2, {.path = from_port(1), .kind = PortHeader::Kind::claim}, now_);
  EXPECT_TRUE(steering_.find(from_port(1)));
  send(media_, 1);
  EXPECT_TRUE(received(2).at(0).is_certain);
  EXPECT_TRUE(received(0).empty());
  EXPECT_EQ(exchange_->dropped().unknown, 0U);
}

// More than a queue has room for: the sessions of a hot restart are told without one.
TEST_F(SteeringTest, KnowsThePathsOfAllSessionsThatMoveIn) {
  constexpr std::uint16_t kSessions = 40'000;
  Steering steering(directory_, *exchange_, kSessions);
  for (std::uint16_t port = 1; port <= kSessions; ++port) {
    ASSERT_TRUE(steering.claim(from_port(port), 1, now_));
  }
  for (std::uint16_t port = 1; port <= kSessions; ++port) {
    ASSERT_EQ(steering.find(from_port(port)), 1U) << port;
  }
}

TEST_F(SteeringTest, WhatNamesNoSessionIsAnsweredByTheFirstWorkerOrDropped) {
  send(check("other:peer"), 1);
  send(check("no colon"), 1);
  send(dtls::Buffer(30, std::byte{0}), 1);
  EXPECT_EQ(received(0).size(), 3U);
  send(media_, 1);
  send(dtls::Buffer(30, std::byte{22}), 1);
  send({}, 1);
  EXPECT_TRUE(received(0).empty());
  EXPECT_EQ(exchange_->dropped().unknown, 3U);
}

// After a hot restart in the middle of an ICE restart only the newest ufrag is known.
TEST_F(SteeringTest, AnUnknownUfragGoesByThePath) {
  steering_.take(1, {.path = from_port(1), .kind = PortHeader::Kind::claim}, now_);
  send(check("other:peer"), 1);
  EXPECT_EQ(received(1).size(), 1U);
}

TEST_F(SteeringTest, TellsOfConnectionsThatHaveEnded) {
  steering_.take(1, {.path = from_port(1), .kind = PortHeader::Kind::claim}, now_);
  while (exchange_->to_worker(1).push({.path = from_port(1)}, media_)) {
  }
  while (exchange_->to_worker(1).push({.path = from_port(1)}, {})) {
  }
  steering_.path_closed(from_port(1), now_);
  steering_.flush();
  EXPECT_FALSE(steering_.find(from_port(1)));
  EXPECT_NE(received(1).back().kind, PortHeader::Kind::closed) << "there was no room";
  steering_.flush();
  const auto headers = received(1);
  ASSERT_EQ(headers.size(), 1U);
  EXPECT_EQ(headers[0].kind, PortHeader::Kind::closed);
  steering_.flush();
  EXPECT_TRUE(received(1).empty());
}

}  // namespace
}  // namespace sluice::interop::sfu
