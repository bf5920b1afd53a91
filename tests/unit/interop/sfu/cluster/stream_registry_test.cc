#include "sfu/cluster/stream_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "common/redis/redis_client.h"
#include "unit/session_stores/redis_server.h"

namespace sluice::interop::sfu {
namespace {

using session_stores::test::RedisServer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const std::string kFirst(32, 'a');
const std::string kSecond(32, 'b');
constexpr const char* kA = "http://127.0.0.1:1";
constexpr const char* kB = "http://127.0.0.1:2";

// ---- entries

TEST(StreamEntry, IsReadAsItIsWritten) {
  const StreamEntry entry{.stream = kFirst, .depth = 2, .node = kA};
  EXPECT_EQ(entry_text(entry), kFirst + " 2 http://127.0.0.1:1");
  EXPECT_EQ(parse_entry(entry_text(entry)), entry);
}

TEST(StreamEntry, IsNothingElse) {
  for (const std::string& text :
       {std::string{}, std::string{"rubbish"}, kFirst, kFirst + " 0", kFirst + " 0 ",
        kFirst + "  http://a", kFirst + " x http://a", kFirst + " -1 http://a",
        kFirst + " 10 http://a", kFirst + " 0 http://a/", kFirst + " 0 http://a/b",
        kFirst + " 0  http://a", kFirst + " 0 http://a ", kFirst + " 0 file:///etc/passwd",
        kFirst + "a 0 http://a", std::string(32, 'A') + " 0 http://a",
        std::string(31, 'a') + " 0 http://a", std::string(32, '\0') + " 0 http://a",
        kFirst + " 0 http://" + std::string(1000, 'a')}) {
    EXPECT_FALSE(parse_entry(text)) << text;
  }
}

// ---- with Redis

class StreamRegistryTest : public testing::Test {
 protected:
  [[nodiscard]] RedisOptions redis() const {
    return {.address = {.host = "127.0.0.1", .port = server_.port()}};
  }
  [[nodiscard]] StreamRegistry node(const char* url) const { return {redis(), "test", url}; }
  RedisReply ask(const std::vector<std::string>& words) {
    RedisClient client(redis());
    EXPECT_TRUE(client.connect());
    return client.command(words).value();
  }

  RedisServer server_;
};

TEST_F(StreamRegistryTest, OthersSeeWhatANodeHas) {
  auto a = node(kA);
  auto b = node(kB);
  ASSERT_TRUE(a.put({{"room", kFirst, 0}, {"other", kSecond, 1}}));
  EXPECT_THAT(b.look_up("room").value(), ElementsAre(StreamEntry{kFirst, 0, kA}));
  EXPECT_THAT(b.look_up("other").value(), ElementsAre(StreamEntry{kSecond, 1, kA}));
  EXPECT_THAT(b.look_up("third").value(), IsEmpty());
  EXPECT_THAT(a.look_up("room").value(), IsEmpty()) << "its own";
  ASSERT_TRUE(b.put({{"room", kFirst, 1}}));
  EXPECT_THAT(node("http://127.0.0.1:3").look_up("room").value(),
              UnorderedElementsAre(StreamEntry{kFirst, 0, kA}, StreamEntry{kFirst, 1, kB}));
}

TEST_F(StreamRegistryTest, WhatANodeHasNoLongerIsTakenBack) {
  auto a = node(kA);
  ASSERT_TRUE(a.put({{"room", kFirst, 0}, {"room", kSecond, 0}, {"other", kSecond, 0}}));
  ASSERT_TRUE(a.put({{"room", kSecond, 0}}));
  EXPECT_THAT(node(kB).look_up("room").value(), ElementsAre(StreamEntry{kSecond, 0, kA}));
  EXPECT_THAT(node(kB).look_up("other").value(), IsEmpty());
  a.clear();
  EXPECT_EQ(ask({"EXISTS", "test:room:room"}).number, 0);
}

TEST_F(StreamRegistryTest, EntriesExpire) {
  auto a = node(kA);
  ASSERT_TRUE(a.put({{"room", kFirst, 0}}));
  EXPECT_GT(ask({"PTTL", "test:room:room"}).number, 0);
  EXPECT_LE(ask({"PTTL", "test:room:room"}).number, StreamRegistry::kLifetime.count());
  // Of a node that ended long ago, and one that can't be.
  ask({"ZADD", "test:room:room", "1", kSecond + " 0 " + kB});
  ask({"ZADD", "test:room:room", "inf", kSecond + " 1 " + kB});
  EXPECT_THAT(node(kB).look_up("room").value(), ElementsAre(StreamEntry{kFirst, 0, kA}));
  ASSERT_TRUE(a.put({{"room", kFirst, 0}}));
  EXPECT_EQ(ask({"ZCARD", "test:room:room"}).number, 2) << "the first one is gone";
}

TEST_F(StreamRegistryTest, WhatIsNoEntryIsLeftOut) {
  auto a = node(kA);
  ASSERT_TRUE(a.put({{"room", kFirst, 0}}));
  const auto time = ask({"ZSCORE", "test:room:room", kFirst + " 0 " + kA}).text;
  for (const std::string& text :
       {std::string{"rubbish"}, std::string(100'000, 'x'), kSecond + " 0 http://a/b"}) {
    ask({"ZADD", "test:room:room", time, text});
  }
  EXPECT_THAT(node(kB).look_up("room").value(), ElementsAre(StreamEntry{kFirst, 0, kA}));
  for (int i = 0; i < 200; ++i) {
    ask({"ZADD", "test:room:room", time, kSecond + " 0 http://c" + std::to_string(i)});
  }
  EXPECT_THAT(node(kB).look_up("room").value(),
              SizeIs(testing::AllOf(testing::Gt(1U), testing::Le(StreamRegistry::kMostEntries))));
}

TEST_F(StreamRegistryTest, AKeyOfAnotherTypeHarmsItsRoomAlone) {
  ask({"SET", "test:room:bad", "x"});
  auto a = node(kA);
  const auto put = a.put({{"bad", kFirst, 0}, {"room", kSecond, 0}});
  ASSERT_FALSE(put);
  EXPECT_THAT(put.error(), HasSubstr("WRONGTYPE"));
  EXPECT_FALSE(node(kB).look_up("bad"));
  EXPECT_THAT(node(kB).look_up("room").value(), SizeIs(1));
}

TEST_F(StreamRegistryTest, WithoutRedisThereIsAnErrorAndWithItAllIsThereAgain) {
  auto a = node(kA);
  ASSERT_TRUE(a.put({{"room", kFirst, 0}}));
  const auto port = server_.port();
  server_.stop();
  EXPECT_EQ(a.put({{"room", kFirst, 0}}).error(), "Redis does not answer");
  EXPECT_EQ(a.look_up("room").error(), "Redis does not answer");
  const RedisServer again({}, {}, port);
  auto b = node(kB);
  EXPECT_THAT(b.look_up("room").value(), IsEmpty());
  while (!a.put({{"room", kFirst, 0}})) std::this_thread::yield();  // the pause of the connection
  EXPECT_THAT(b.look_up("room").value(), SizeIs(1));
}

TEST(RedisClientTest, NeedsThePasswordOfTheServer) {
  const RedisServer server({"--requirepass", "right"});
  RedisOptions options{.address = {.host = "127.0.0.1", .port = server.port()},
                       .password = "wrong"};
  EXPECT_FALSE(RedisClient(options).connect());
  options.password = "right";
  EXPECT_TRUE(RedisClient(options).connect());
}

TEST(RedisClientTest, AttemptsToConnectHavePauses) {
  RedisServer server;
  const auto port = server.port();
  RedisClient client({.address = {.host = "127.0.0.1", .port = port}});
  server.stop();
  EXPECT_FALSE(client.connect());
  const RedisServer again({}, {}, port);
  while (!client.connect()) std::this_thread::yield();
  EXPECT_EQ(client.command(std::vector<std::string>{"PING"})->text, "PONG");
}

TEST(RedisAddressTest, IsAHostAndAPort) {
  EXPECT_EQ(parse_redis("redis:a.example:6379")->host, "a.example");
  EXPECT_EQ(parse_redis("redis:[::1]:6379")->host, "::1");
  EXPECT_EQ(parse_redis("redis:a:6379")->port, 6379);
  for (const char* text : {"", "redis:", "redis::1", "redis:a", "redis:a:0", "redis:a:65536",
                           "redis:a:b", "redis:a:1x", "lmdb:a:1", "a:1"}) {
    EXPECT_FALSE(parse_redis(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::interop::sfu
