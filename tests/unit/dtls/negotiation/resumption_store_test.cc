#include <sluice/dtls/resumption_store.h>

#include <gtest/gtest.h>

#include <thread>

#include "support/connections.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

using dtls::Buffer;
using dtls::Instant;
using dtls::ResumptionStore;
using dtls::SessionToStore;

// Of an hour.
const dtls::ResumableSession& session() {
  static const dtls::ResumableSession kSession = [] {
    auto chosen = options_for(dtls::ProtocolVersion::dtls12);
    chosen.resumption = dtls::Resumption::store;
    chosen.session_lifetime = 1h;
    return connected_pair(chosen).server.stored.at(0).session;
  }();
  return kSession;
}

Buffer id(unsigned number) { return Buffer(32, static_cast<std::byte>(number)); }

TEST(ResumptionStore, FindsWhatItKeeps) {
  ResumptionStore store;
  store.keep({id(1), session()}, {});
  ASSERT_TRUE(store.find(id(1), {}));
  EXPECT_EQ(store.find(id(1), {})->serialize(), session().serialize());
  for (const Buffer& other : {id(2), Buffer{}, Buffer(31, std::byte{1}), Buffer(1000)}) {
    EXPECT_FALSE(store.find(other, {}));
  }
  store.forget(id(1));
  store.forget(id(2));
  EXPECT_FALSE(store.find(id(1), {}));
  EXPECT_EQ(store.size(), 0U);
}

TEST(ResumptionStore, WhatWasNotUsedForTheLongestTimeGoes) {
  ResumptionStore store(3);
  for (unsigned i = 0; i < 3; ++i) store.keep({id(i), session()}, {});
  EXPECT_TRUE(store.find(id(0), {}));
  store.keep({id(3), session()}, {});
  EXPECT_EQ(store.size(), 3U);
  EXPECT_TRUE(store.find(id(0), {}));
  EXPECT_FALSE(store.find(id(1), {}));
  store.keep({id(3), session()}, {});  // one of the same name is no other
  EXPECT_EQ(store.size(), 3U);
  EXPECT_TRUE(store.find(id(2), {}));
}

TEST(ResumptionStore, MayHaveNoRoomAtAll) {
  ResumptionStore store(0);
  store.keep({id(1), session()}, {});
  EXPECT_EQ(store.size(), 0U);
  EXPECT_FALSE(store.find(id(1), {}));
}

TEST(ResumptionStore, WhatHasExpiredIsGone) {
  ResumptionStore store;
  for (unsigned i = 0; i < 3; ++i) store.keep({id(i), session()}, {});
  EXPECT_TRUE(store.find(id(1), Instant{} + 1h - 1us));
  EXPECT_FALSE(store.find(id(1), Instant{} + 1h));
  EXPECT_EQ(store.size(), 2U);
  store.keep({id(7), session()}, Instant{} + 1h);  // makes room by itself
  EXPECT_EQ(store.size(), 1U);
}

TEST(ResumptionStore, AnswersBothQuestions) {
  ResumptionStore store;
  store.keep({id(1), session()}, {});
  const auto known = store.answer(dtls::SessionRequested{{}, id(1)}, {});
  EXPECT_TRUE(std::holds_alternative<dtls::ResumeSession>(known));
  const auto unknown = store.answer(dtls::SessionRequested{{}, id(2)}, {});
  EXPECT_TRUE(std::holds_alternative<dtls::NoSession>(unknown));
  const auto second = store.answer(dtls::PskRequested{{}, {id(2), id(1)}, {}}, {});
  ASSERT_TRUE(std::holds_alternative<dtls::ResumeSession>(second));
  EXPECT_EQ(std::get<dtls::ResumeSession>(second).index, 1U);
  const auto none = store.answer(dtls::PskRequested{{}, {id(2)}, {}}, {});
  EXPECT_TRUE(std::holds_alternative<dtls::NoPsk>(none));
}

TEST(ResumptionStoreThreads, KeepAndFindAtOnce) {
  ResumptionStore store(16);
  const dtls::ResumableSession& kept = session();
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (unsigned i = 0; i < 200; ++i) {
        store.keep({id((thread + i) % 32), kept}, {});
        static_cast<void>(store.find(id(i % 32), {}));
        if (i % 7 == 0) store.forget(id(i % 32));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(store.size(), 16U);
}

// Both versions, as a server would use it.
class ResumptionStoreInUse : public ByVersion {};

TEST_P(ResumptionStoreInUse, ResumesWhatItHasKept) {
  auto chosen = options();
  chosen.resumption = dtls::Resumption::store;
  const auto store = std::make_shared<ResumptionStore>(1);
  std::optional<dtls::ResumableSession> last;
  for (const bool resumed : {false, true, true}) {
    Pair pair(chosen);
    pair.client = make_client(make_config(chosen), {}, last);
    pair.server.store = store;
    pair.run();
    ASSERT_TRUE(works(pair));
    EXPECT_EQ(pair.client.connected->resumed, resumed);
    ASSERT_EQ(pair.client.sessions.size(), 1U);
    last = pair.client.sessions.at(0);
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, ResumptionStoreInUse, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
