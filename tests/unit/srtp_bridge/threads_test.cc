// Sessions of different threads share libsrtp's process-wide state and its first initialisation.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "session_peers.h"

namespace sluice::srtp {
namespace {

TEST(Threads, InitializeAndUseSessionsAtTheSameTime) {
  constexpr int kThreads = 4;
  constexpr int kSessions = 25;
  std::atomic<int> passed = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < kSessions; ++i) {
        auto peers = make_peers(test::kAllSrtpProfiles[i % 4]);
        if (unprotect_rtp(peers.server, protect_rtp(peers.client, make_rtp()))) ++passed;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(passed, kThreads * kSessions);
}

}  // namespace
}  // namespace sluice::srtp
