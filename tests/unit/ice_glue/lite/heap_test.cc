// What a session takes of the heap.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdint>
#include <iostream>
#include <vector>

#include "support/ice_world.h"

namespace sluice::ice_lite {
namespace {

using namespace std::chrono_literals;
using test::address;
using test::IceWorld;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kHasGlibcHeap = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kHasGlibcHeap = false;
#else
constexpr bool kHasGlibcHeap = true;
#endif
#else
constexpr bool kHasGlibcHeap = true;
#endif

// As glibc counts it, with the heads of blocks: libsrtp's contexts, too.
std::size_t heap_in_use() {
  malloc_trim(0);
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

constexpr std::uint8_t kSessions = 200;

// Bytes of a session whose peer has done `what`, and is gone.
template <class What>
std::size_t bytes_of_session(dtls::Environment& environment, std::size_t repeat_window,
                             const What& what) {
  IceWorld world({.dtls = test::dtls13_with_gcm(), .environment = &environment});
  std::vector<SessionHandle> sessions;
  for (std::uint8_t i = 0; i < kSessions; ++i) {
    SessionOptions options;
    options.transport.srtp.repeat_window = repeat_window;
    sessions.push_back(world.add({.candidates = {address(i, 1)}, .seed = i + 1U}, options));
  }
  what(world, sessions);
  EXPECT_EQ(world.server.size(), kSessions);
  world.clients.clear();
  world.all_events.clear();
  world.rtp.clear();
  auto empty = test::must(IceLiteServer::make({}, environment));
  const auto full = heap_in_use();
  // The tables, too.
  world.server = std::move(empty);
  return (full - heap_in_use()) / kSessions;
}

void nothing(IceWorld&, const std::vector<SessionHandle>&) {}

void connect(IceWorld& world, const std::vector<SessionHandle>&) {
  for (std::size_t i = 0; i < kSessions; ++i) {
    world.clients[i]->begin(world.now);
    world.flush(i);
  }
  // What answers a retransmitted last flight goes after 2 x MSL.
  world.run_for(5min);
  EXPECT_EQ(world.all_events.size(), 2U * kSessions) << "PathSelected and Connected";
}

void send_media(IceWorld& world, const std::vector<SessionHandle>& sessions) {
  connect(world, sessions);
  for (std::size_t i = 0; i < kSessions; ++i) {
    EXPECT_TRUE(world.clients[i]->send_rtp(test::make_rtp()));
    world.flush(i);
    EXPECT_TRUE(world.send_rtp(sessions[i], test::make_rtp()));
  }
  world.run_for(1s);
  EXPECT_EQ(world.rtp.size(), kSessions);
}

TEST(IceLiteMemory, OfASessionIsBounded) {
  if (!kHasGlibcHeap) GTEST_SKIP() << "the heap is not glibc's";
  auto& warm = test::environment();
  // In a call with media alone DTLS is silent, and a server with many of them has few with ciphers.
  auto cold = test::must(dtls::Environment::make({.max_warm_connections = 1}));
  const std::size_t repeats = srtp::SessionOptions{}.repeat_window;
  const auto waiting = bytes_of_session(warm, repeats, nothing);
  const auto connected = bytes_of_session(warm, repeats, connect);
  const auto silent = bytes_of_session(cold, repeats, connect);
  const auto media = bytes_of_session(cold, 0, send_media);
  const auto all = bytes_of_session(warm, repeats, send_media);
  std::cout << "bytes of a session: before its peer has come " << waiting << ", connected "
            << connected << ", with DTLS silent " << silent << ", with an SSRC each way " << media
            << ", with DTLS's ciphers and repeats of " << repeats << " packets " << all << '\n';
  EXPECT_LE(waiting, 3'000U);
  EXPECT_LE(connected, 7'500U);
  EXPECT_LE(silent, 3'650U);
  EXPECT_LE(media, 12'700U);
  EXPECT_GT(media, silent + 7'000U) << "libsrtp's contexts are in it";
  EXPECT_LE(all, 20'900U);
}

}  // namespace
}  // namespace sluice::ice_lite
