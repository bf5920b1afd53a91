// What every LiveSessionStore must do, for all three.
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <sluice/session_stores/lmdb_store.h>
#include <sluice/session_stores/memory_store.h>
#include <sluice/session_stores/redis_store.h>

#include "redis_server.h"
#include "requests.h"
#include "support/temporary_folder.h"

namespace sluice::session_stores::test {
namespace {

// A place for sessions that several stores share.
class Place {
 public:
  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  virtual ~Place() = default;
  virtual std::unique_ptr<LiveSessionStore> open(const StoreOptions& options) = 0;
};

class MemoryPlace final : public Place {
 public:
  std::unique_ptr<LiveSessionStore> open(const StoreOptions& options) override {
    return make_memory_store(sessions_, options);
  }

 private:
  std::shared_ptr<SharedSessions> sessions_ = make_shared_sessions(10'000);
};

class LmdbPlace final : public Place {
 public:
  std::unique_ptr<LiveSessionStore> open(const StoreOptions& options) override {
    return make_lmdb_store({.store = options, .folder = folder_.path()}).value();
  }

 private:
  sluice::test::TemporaryFolder folder_;
};

class RedisPlace final : public Place {
 public:
  std::unique_ptr<LiveSessionStore> open(const StoreOptions& options) override {
    // A prefix of each kind of character that a pattern or a command could misread.
    return make_redis_store({.store = options,
                             .port = server_.port(),
                             .prefix = "a*b[c]? \r\n",
                             .timeout = std::chrono::seconds(20)})
        .value();
  }

 private:
  RedisServer server_;
};

struct Kind {
  std::string name;
  std::function<std::unique_ptr<Place>()> make;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kAll = {
      {"memory", [] { return std::make_unique<MemoryPlace>(); }},
      {"lmdb", [] { return std::make_unique<LmdbPlace>(); }},
      {"redis", [] { return std::make_unique<RedisPlace>(); }},
  };
  return kAll;
}

class LiveSessionStoreTest : public testing::TestWithParam<Kind> {
 protected:
  std::unique_ptr<LiveSessionStore> open(std::size_t max_pending = 4096) {
    return place_->open({.max_pending = max_pending, .clock = test_clock});
  }

  std::unique_ptr<Place> place_ = GetParam().make();
  std::unique_ptr<LiveSessionStore> store_ = open();
};

INSTANTIATE_TEST_SUITE_P(Kinds, LiveSessionStoreTest, testing::ValuesIn(kinds()),
                         [](const auto& one) { return one.param.name; });

TEST_P(LiveSessionStoreTest, GivesASessionOutOnce) {
  put(*store_, {"id"}, "session");
  EXPECT_EQ(take(*store_, "id"), "session");
  EXPECT_EQ(take(*store_, "id"), "none");
}

TEST_P(LiveSessionStoreTest, FindsASessionByEachOfItsConnectionIds) {
  for (const std::string_view asked : {"first", "second", "third"}) {
    put(*store_, {"first", "second", "third"}, "session");
    EXPECT_EQ(take(*store_, asked), "session");
    for (const std::string_view id : {"first", "second", "third"}) {
      EXPECT_EQ(take(*store_, id), "none") << id << " after " << asked;
    }
    EXPECT_EQ(count(*store_), 0);
  }
}

TEST_P(LiveSessionStoreTest, FindsNothingByPartOfAConnectionId) {
  put(*store_, {"abc", "def"}, "session");
  for (const std::string_view id : {"ab", "abcd", "d", "de*", "*", "session"}) {
    EXPECT_EQ(take(*store_, id), "none") << id;
  }
  EXPECT_EQ(take(*store_, "def"), "session");
}

TEST_P(LiveSessionStoreTest, ReplacesTheSessionOfAConnectionId) {
  put(*store_, {"id", "old", "both"}, "first");
  put(*store_, {"id", "both", "new"}, "second");
  EXPECT_EQ(count(*store_), 1);
  EXPECT_EQ(take(*store_, "old"), "none") << "the old session's own ID leads to another session";
  EXPECT_EQ(take(*store_, "both"), "second");
}

TEST_P(LiveSessionStoreTest, EraseTellsWhetherThereWasASession) {
  put(*store_, {"id", "other"}, "session");
  EXPECT_TRUE(erase(*store_, "other"));
  EXPECT_FALSE(erase(*store_, "id"));
  EXPECT_EQ(take(*store_, "id"), "none");
}

TEST_P(LiveSessionStoreTest, CountsSessionsNotConnectionIds) {
  for (const std::string_view id : {"a", "b", "c"}) {
    put(*store_, {id, std::string(id) + "2"}, "session");
  }
  EXPECT_EQ(count(*store_), 3);
  EXPECT_EQ(take(*store_, "b2"), "session");
  EXPECT_EQ(count(*store_), 2);
}

TEST_P(LiveSessionStoreTest, DoesNotFindASessionAfterItsLifetime) {
  put(*store_, {"a"}, "session", std::chrono::seconds(60));
  put(*store_, {"b", "c"}, "session", std::chrono::seconds(60));
  put(*store_, {"d"}, "session", std::chrono::seconds(61));
  set_test_clock(test_clock() + 60);
  EXPECT_EQ(take(*store_, "a"), "none");
  EXPECT_EQ(take(*store_, "c"), "none");
  EXPECT_EQ(take(*store_, "d"), "session");
}

TEST_P(LiveSessionStoreTest, StoresAnyBytes) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const std::string longest_id = all.substr(0, kMaxConnectionId);
  std::string largest;
  while (largest.size() < kMaxSession) largest += all;
  for (const std::string& session : {std::string(1, '\0'), all, largest}) {
    put(*store_, {std::string_view("\0", 1), longest_id}, session);
    EXPECT_EQ(take(*store_, longest_id), session);
  }
}

TEST_P(LiveSessionStoreTest, HoldsAsManyConnectionIdsAsASessionMayHave) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kMaxConnectionIds; ++i) names.push_back("id" + std::to_string(i));
  std::vector<Bytes> ids;
  for (const std::string& name : names) ids.push_back(bytes_of(name));
  ASSERT_TRUE(store_->put({}, {ids, bytes_of("session"), std::chrono::seconds(1)}));
  EXPECT_TRUE(std::holds_alternative<PutDone>(next(*store_).outcome));
  EXPECT_EQ(take(*store_, names.back()), "session");
}

TEST_P(LiveSessionStoreTest, RefusesWhatIsOutOfRange) {
  using namespace std::chrono_literals;
  const std::string long_id(kMaxConnectionId + 1, 'x');
  const std::string large(kMaxSession + 1, 'x');
  const std::vector<Bytes> many(kMaxConnectionIds + 1, bytes_of("id"));
  const std::vector<Bytes> one = {bytes_of("id")};
  const std::vector<Bytes> empty_id = {bytes_of("id"), {}};
  const std::vector<Bytes> one_too_long = {bytes_of("id"), bytes_of(long_id)};
  const Bytes session = bytes_of("session");
  const std::vector<SessionToStore> refused = {
      {{}, session, 1s},       {many, session, 1s},
      {empty_id, session, 1s}, {one_too_long, session, 1s},
      {one, {}, 1s},           {one, bytes_of(large), 1s},
      {one, session, 0s},      {one, session, std::chrono::days(3650) + 1s},
  };
  for (std::size_t i = 0; i < refused.size(); ++i) {
    const auto accepted = store_->put({}, refused[i]);
    ASSERT_FALSE(accepted) << i;
    EXPECT_EQ(accepted.error(), StoreError::invalid_argument) << i;
  }
  EXPECT_EQ(store_->take({}, {}).error(), StoreError::invalid_argument);
  EXPECT_EQ(store_->erase({}, bytes_of(long_id)).error(), StoreError::invalid_argument);
  EXPECT_EQ(store_->pending(), 0);
  EXPECT_FALSE(store_->wait(std::chrono::seconds(30))) << "no request is under way";
}

TEST_P(LiveSessionStoreTest, RefusesRequestsAboveMaxPending) {
  const auto store = open(2);
  EXPECT_TRUE(store->take({}, bytes_of("a")));
  EXPECT_TRUE(store->take({}, bytes_of("b")));
  EXPECT_EQ(store->take({}, bytes_of("c")).error(), StoreError::overloaded);
  EXPECT_EQ(store->pending(), 2);
  next(*store);
  EXPECT_TRUE(store->take({}, bytes_of("c")));
}

TEST_P(LiveSessionStoreTest, ReturnsTheTokenOfEachRequest) {
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(store_->count(RequestToken{i}));
  std::vector<std::uint64_t> seen;
  while (store_->pending() > 0) {
    seen.push_back(static_cast<std::uint64_t>(next(*store_).token));
  }
  std::ranges::sort(seen);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(seen.at(i), i);
}

TEST_P(LiveSessionStoreTest, WaitHandleIsReadableWhileThereIsAnOutcome) {
  pollfd handle{store_->wait_handle(), POLLIN, 0};
  EXPECT_EQ(poll(&handle, 1, 0), 0);
  ASSERT_TRUE(store_->take({}, bytes_of("id")));
  ASSERT_TRUE(store_->take({}, bytes_of("id")));
  EXPECT_EQ(poll(&handle, 1, 30'000), 1);
  next(*store_);
  EXPECT_EQ(poll(&handle, 1, 30'000), 1);
  next(*store_);
  EXPECT_EQ(poll(&handle, 1, 0), 0);
}

TEST_P(LiveSessionStoreTest, SessionsOutliveTheStore) {
  put(*store_, {"id"}, "session");
  const auto other = open();
  store_.reset();
  EXPECT_EQ(take(*other, "id"), "session");
  put(*other, {"id"}, "again");
  const auto third = open();
  EXPECT_EQ(take(*third, "id"), "again");
}

TEST_P(LiveSessionStoreTest, CarriesOutWhatItHasAcceptedBeforeItEnds) {
  const auto other = open();
  const std::vector<Bytes> id = {bytes_of("id")};
  ASSERT_TRUE(store_->put({}, {id, bytes_of("session"), std::chrono::seconds(60)}));
  store_.reset();
  EXPECT_EQ(take(*other, "id"), "session");
}

TEST_P(LiveSessionStoreTest, OfTwoServersOneGetsASession) {
  constexpr std::uint64_t kSessions = 300;
  const auto other = open();
  for (std::uint64_t i = 0; i < kSessions; ++i) {
    const std::string id = std::to_string(i);
    put(*store_, {id, "other" + id}, "session" + id);
  }
  for (std::uint64_t i = 0; i < kSessions; ++i) {
    const std::string id = std::to_string(i);
    ASSERT_TRUE(store_->take(RequestToken{i}, bytes_of(id)));
    ASSERT_TRUE(other->take(RequestToken{i}, bytes_of(i % 2 == 0 ? id : "other" + id)));
  }
  std::map<RequestToken, int> given_out;
  for (LiveSessionStore* const store : {store_.get(), other.get()}) {
    while (store->pending() > 0) {
      const Completion completion = next(*store);
      if (!std::get<TakeDone>(completion.outcome).session.empty()) ++given_out[completion.token];
    }
  }
  EXPECT_EQ(given_out.size(), kSessions);
  for (const auto& [token, times] : given_out) {
    EXPECT_EQ(times, 1) << static_cast<std::uint64_t>(token);
  }
}

}  // namespace
}  // namespace sluice::session_stores::test
