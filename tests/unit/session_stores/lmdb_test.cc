#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include <sluice/session_stores/lmdb_store.h>

#include "requests.h"
#include "support/temporary_folder.h"

namespace sluice::session_stores::test {
namespace {

class LmdbStoreTest : public testing::Test {
 protected:
  [[nodiscard]] LmdbStoreOptions options() const {
    return {.store = {.clock = test_clock}, .folder = folder_.path() / "new" / "folder"};
  }
  std::unique_ptr<LiveSessionStore> open() const { return make_lmdb_store(options()).value(); }

  // Stores a session in another process, which is then killed.
  void put_and_be_killed() const {
    const pid_t process = fork();
    if (process == 0) {
      const auto store = open();
      put(*store, {"id"}, "session");
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    waitpid(process, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
  // As after a power failure.
  void start_the_machine_again() const {
    std::ofstream(options().folder / "in-use") << "00000000-0000-0000-0000-000000000000";
  }

  sluice::test::TemporaryFolder folder_;
};

TEST_F(LmdbStoreTest, SessionsSurviveKill9) {
  put_and_be_killed();
  EXPECT_EQ(take(*open(), "id"), "session");
}

// LMDB may have lost that a session was taken: two servers would own it.
TEST_F(LmdbStoreTest, ForgetsAllSessionsWhenTheMachineHasStoppedMeanwhile) {
  put_and_be_killed();
  start_the_machine_again();
  EXPECT_EQ(take(*open(), "id"), "none");
}

TEST_F(LmdbStoreTest, ForgetsNothingWhenItWasClosedBeforeTheMachineStopped) {
  put(*open(), {"id"}, "session");
  EXPECT_EQ(std::filesystem::file_size(options().folder / "in-use"), 0);
  EXPECT_EQ(take(*open(), "id"), "session");
}

TEST_F(LmdbStoreTest, KeepsAllSessionsWhereEachChangeIsOnTheDisk) {
  auto durable = options();
  durable.durability = Durability::machine;
  put(*make_lmdb_store(durable).value(), {"id"}, "session");
  start_the_machine_again();
  EXPECT_EQ(take(*make_lmdb_store(durable).value(), "id"), "session");
}

TEST_F(LmdbStoreTest, AnotherProcessKeepsTheFolderInUse) {
  const auto other = open();
  put(*open(), {"id"}, "session");
  EXPECT_GT(std::filesystem::file_size(options().folder / "in-use"), 0)
      << "the other store still changes the database";
  EXPECT_EQ(take(*other, "id"), "session");
}

TEST_F(LmdbStoreTest, AnExclusiveStoreIsTheOnlyOne) {
  auto exclusive = options();
  exclusive.exclusive = true;
  {
    const auto only = make_lmdb_store(exclusive).value();
    for (const auto& late : {make_lmdb_store(options()), make_lmdb_store(exclusive)}) {
      ASSERT_FALSE(late);
      EXPECT_EQ(late.error().code, dtls::Errc::invalid_config);
      EXPECT_NE(late.error().detail.view().find("another process"), std::string_view::npos);
    }
    put(*only, {"id"}, "session");
  }
  const auto shared = open();
  EXPECT_FALSE(make_lmdb_store(exclusive));
  EXPECT_EQ(take(*shared, "id"), "session");
}

TEST_F(LmdbStoreTest, Kill9EndsThatAStoreIsTheOnlyOne) {
  auto exclusive = options();
  exclusive.exclusive = true;
  const pid_t process = fork();
  if (process == 0) {
    put(*make_lmdb_store(exclusive).value(), {"id"}, "session");
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(process, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(take(*make_lmdb_store(exclusive).value(), "id"), "session");
}

TEST_F(LmdbStoreTest, ASessionWithoutRoomFailsAlone) {
  auto small = options();
  small.max_bytes = std::size_t{256} << 10;
  const auto store = make_lmdb_store(small).value();
  put(*store, {"first"}, "session");
  const std::string large(20'000, 'x');
  std::optional<StoreError> error;
  int stored = 0;
  while (!error && stored < 100) {
    error = error_of(try_put(*store, {"large" + std::to_string(stored)}, large));
    if (!error) ++stored;
  }
  EXPECT_EQ(error, StoreError::full);
  EXPECT_GT(stored, 2);
  // A batch with one that has no room, and with others around it.
  const std::vector<Bytes> id = {bytes_of("another")};
  const std::string largest(kMaxSession, 'x');
  ASSERT_TRUE(store->take(RequestToken{1}, bytes_of("first")));
  ASSERT_TRUE(store->put(RequestToken{2}, {id, bytes_of(largest), std::chrono::seconds(1)}));
  ASSERT_TRUE(store->take(RequestToken{3}, bytes_of("large0")));
  EXPECT_FALSE(std::get<TakeDone>(next(*store).outcome).session.empty());
  EXPECT_EQ(error_of(next(*store).outcome), StoreError::full);
  EXPECT_FALSE(std::get<TakeDone>(next(*store).outcome).session.empty());
  // LMDB uses the pages of a transaction again after the next one, and needs some itself.
  for (int i = 1; i < stored; ++i) EXPECT_EQ(take(*store, "large" + std::to_string(i)), large);
  put(*store, {"large"}, large);
}

TEST_F(LmdbStoreTest, NewSessionsTakeTheRoomOfThoseThatHaveExpired) {
  const auto store = open();
  for (int i = 0; i < 100; ++i) {
    put(*store, {"old" + std::to_string(i), "other" + std::to_string(i)}, "session",
        std::chrono::seconds(60));
  }
  set_test_clock(test_clock() + 60);
  for (int i = 0; i < 200; ++i) put(*store, {"new" + std::to_string(i)}, "session");
  EXPECT_EQ(count(*store), 200);
}

TEST_F(LmdbStoreTest, TellsWhyItCannotBeOpened) {
  std::ofstream(folder_.path() / "file") << "no folder";
  auto bad = options();
  bad.folder = folder_.path() / "file" / "folder";
  const auto store = make_lmdb_store(bad);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, dtls::Errc::invalid_config);
  EXPECT_NE(store.error().detail.view().find("Not a directory"), std::string_view::npos)
      << store.error().detail.view();

  EXPECT_EQ(make_lmdb_store({}).error().detail.view(), "folder");
  bad = options();
  bad.store.max_pending = 0;
  EXPECT_EQ(make_lmdb_store(bad).error().detail.view(), "max_pending");
}

TEST_F(LmdbStoreTest, ADamagedDatabaseIsAnError) {
  put(*open(), {"id"}, "session");
  std::ofstream(options().folder / "data.mdb")
      << "this is no database, and long enough for a page" << std::string(8192, 'x');
  EXPECT_FALSE(make_lmdb_store(options()));
}

}  // namespace
}  // namespace sluice::session_stores::test
