#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include <sluice/session_stores/redis_store.h>

#include "redis_server.h"
#include "requests.h"
#include "support/temporary_folder.h"

namespace sluice::session_stores::test {
namespace {

std::unique_ptr<LiveSessionStore> open(const RedisServer& server, RedisStoreOptions options = {}) {
  options.port = server.port();
  options.timeout = std::chrono::seconds(20);
  return make_redis_store(options).value();
}

TEST(RedisStoreTest, RequestsFailWhileThereIsNoServer) {
  RedisServer server;
  const auto port = server.port();
  const auto store = open(server);
  put(*store, {"id"}, "session");
  server.stop();
  // The first request may have been sent before the connection was seen to be broken.
  const auto first = error_of(try_put(*store, {"id"}, "session"));
  EXPECT_TRUE(first == StoreError::outcome_unknown || first == StoreError::unavailable);
  EXPECT_EQ(error_of(try_put(*store, {"id"}, "session")), StoreError::unavailable);
  EXPECT_EQ(take(*store, "id"), "unavailable");

  const RedisServer again({}, {}, port);
  put(*store, {"id"}, "session");
  EXPECT_EQ(take(*store, "id"), "session");
}

// What Redis has read back from its disk may be older than the last take.
TEST(RedisStoreTest, FindsNoSessionOfARedisThatWasStartedAgain) {
  const sluice::test::TemporaryFolder folder;
  RedisServer server({}, folder.path());
  const auto port = server.port();
  {
    const auto store = open(server);
    put(*store, {"id"}, "session");
  }
  server.stop();
  const RedisServer again({}, folder.path(), port);
  const auto store = open(again);
  EXPECT_EQ(take(*store, "id"), "none");
}

TEST(RedisStoreTest, ARequestWithoutAnAnswerHasAnUnknownOutcome) {
  const RedisServer server;
  auto options = RedisStoreOptions{.port = server.port()};
  options.timeout = std::chrono::milliseconds(200);
  const auto store = make_redis_store(options).value();
  put(*store, {"id"}, "session");
  server.signal(SIGSTOP);
  EXPECT_EQ(take(*store, "id"), "outcome unknown");
  EXPECT_EQ(take(*store, "id"), "unavailable") << "a new connection gets no answer";
  server.signal(SIGCONT);
  const auto patient = open(server);
  EXPECT_EQ(take(*patient, "id"), "none") << "the first take was carried out";
}

TEST(RedisStoreTest, ASessionWithoutRoomFails) {
  const RedisServer server({"--maxmemory", "1", "--maxmemory-policy", "noeviction"});
  const auto store = open(server);
  EXPECT_EQ(error_of(try_put(*store, {"id"}, "session")), StoreError::full);
}

TEST(RedisStoreTest, NeedsThePasswordOfTheServer) {
  const RedisServer server({"--requirepass", "right"});
  EXPECT_EQ(take(*open(server), "id"), "unavailable");
  EXPECT_EQ(take(*open(server, {.password = "wrong"}), "id"), "unavailable");
  EXPECT_EQ(take(*open(server, {.password = "right"}), "id"), "none");
  EXPECT_EQ(take(*open(server, {.user = "default", .password = "right"}), "id"), "none");
}

TEST(RedisStoreTest, APrefixSeparatesFleets) {
  const RedisServer server;
  const auto one = open(server, {.prefix = "one"});
  const auto other = open(server, {.prefix = "other"});
  put(*one, {"id"}, "session");
  EXPECT_EQ(take(*other, "id"), "none");
  EXPECT_EQ(count(*other), 0);
  EXPECT_EQ(count(*one), 1);
}

TEST(RedisStoreTest, RefusesOptionsOutOfRange) {
  const auto detail_of = [](const RedisStoreOptions& options) {
    const auto store = make_redis_store(options);
    return store ? std::string("none") : std::string(store.error().detail.view());
  };
  EXPECT_EQ(detail_of({.store = {.max_pending = 0}}), "max_pending");
  EXPECT_EQ(detail_of({.host = ""}), "host");
  EXPECT_EQ(detail_of({.port = 0}), "port");
  EXPECT_EQ(detail_of({.user = "a"}), "password");
  EXPECT_EQ(detail_of({.timeout = std::chrono::milliseconds(0)}), "timeout");
}

}  // namespace
}  // namespace sluice::session_stores::test
