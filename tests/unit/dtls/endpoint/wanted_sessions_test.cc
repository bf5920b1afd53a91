#include "endpoint/wanted_sessions.h"

#include <gtest/gtest.h>

#include "support/bytes.h"
#include "support/endpoint_host.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::Buffer;
using dtls::Instant;
using dtls::WantedSession;
using dtls::endpoint::WantedSessions;
using Added = WantedSessions::Added;

const Buffer kDatagram(100, std::byte{1});

Buffer id_of(unsigned number) { return Buffer(4, static_cast<std::byte>(number)); }

Added add(WantedSessions& wanted, unsigned id, Instant now = {}) {
  return wanted.add(id_of(id), kDatagram, path_of(id), now);
}

TEST(WantedSessions, EachQuestionIsToldOnceInOrder) {
  WantedSessions wanted({.max_wanted = 3});
  EXPECT_FALSE(wanted.has_news());
  EXPECT_EQ(add(wanted, 7), Added::asked);
  EXPECT_EQ(add(wanted, 5), Added::asked);
  EXPECT_EQ(add(wanted, 7), Added::waits);
  EXPECT_TRUE(wanted.has_news());
  const auto first = wanted.poll();
  const auto second = wanted.poll();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->connection_id, dtls::ConnectionId(id_of(7)));
  EXPECT_EQ(second->connection_id, dtls::ConnectionId(id_of(5)));
  EXPECT_EQ(second->path, path_of(5));
  EXPECT_FALSE(wanted.has_news());
  EXPECT_FALSE(wanted.poll());
  // One that ends before it is told is not told.
  EXPECT_EQ(add(wanted, 9), Added::asked);
  wanted.release(id_of(9));
  EXPECT_FALSE(wanted.has_news());
}

TEST(WantedSessions, NothingIsLeftOfWhatHasEnded) {
  WantedSessions wanted({.max_wanted = 10, .timeout = 5s});
  for (unsigned i = 0; i < 10; ++i) add(wanted, i, Instant{i * 1s});
  EXPECT_EQ(wanted.deadline(), Instant{5s});
  EXPECT_EQ(wanted.drop(WantedSession{1}), 1U);
  EXPECT_EQ(wanted.deny(WantedSession{2}), 1U);
  EXPECT_EQ(wanted.drop(WantedSession{2}), 0U);
  EXPECT_EQ(wanted.deadline(), Instant{7s});
  wanted.release(id_of(2));
  EXPECT_TRUE(wanted.has_released());
  EXPECT_EQ(wanted.take_released()->bytes, kDatagram);
  EXPECT_FALSE(wanted.take_released());
  EXPECT_EQ(wanted.questions(), 7U);
  EXPECT_EQ(wanted.denied(), 1U);
  const auto expired = wanted.expire(Instant{14s});
  EXPECT_EQ(expired.questions, 7U);
  EXPECT_EQ(expired.datagrams, 7U);
  EXPECT_EQ(wanted.questions(), 0U);
  EXPECT_EQ(wanted.denied(), 0U);
  EXPECT_EQ(wanted.bytes(), 0U);
  EXPECT_EQ(wanted.deadline(), std::nullopt);
}

TEST(WantedSessions, TheNewestDenialsAreKept) {
  WantedSessions wanted({.max_wanted = 2});
  for (unsigned i = 1; i <= 3; ++i) {
    EXPECT_EQ(add(wanted, i), Added::asked);
    wanted.deny(WantedSession{i});
  }
  EXPECT_EQ(wanted.denied(), 2U);
  EXPECT_EQ(add(wanted, 2), Added::dropped);
  EXPECT_EQ(add(wanted, 3), Added::dropped);
  EXPECT_EQ(add(wanted, 1), Added::asked);
  // A session that has come meanwhile is denied no more.
  wanted.release(id_of(3));
  EXPECT_EQ(add(wanted, 3), Added::asked);
}

}  // namespace
}  // namespace sluice::test
