#include "sfu/operations/activation.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::interop::sfu {
namespace {

using Sockets = std::vector<common::PassedSocket>;

constexpr common::PassedSocket kUdp{.descriptor = 3, .is_stream = false, .port = 5004};
constexpr common::PassedSocket kTcp{.descriptor = 4, .is_stream = true, .port = 5004};
constexpr common::PassedSocket kHttp{.descriptor = 5, .is_stream = true, .port = 8080};

TEST(Activation, GoesByTypeAndPort) {
  for (const Sockets& sockets : {Sockets{kUdp, kTcp, kHttp}, Sockets{kHttp, kTcp, kUdp}}) {
    const auto found = assign(sockets).value();
    ASSERT_TRUE(found.media);
    EXPECT_EQ(found.media->udp, 3);
    EXPECT_EQ(found.media->tcp, 4);
    EXPECT_EQ(found.http, 5);
  }
}

TEST(Activation, MayLackAPart) {
  EXPECT_FALSE(assign({})->media);
  EXPECT_FALSE(assign({})->http);
  const auto media = assign(Sockets{kTcp, kUdp}).value();
  EXPECT_TRUE(media.media);
  EXPECT_FALSE(media.http);
  const auto http = assign(Sockets{kHttp}).value();
  EXPECT_FALSE(http.media);
  EXPECT_EQ(http.http, 5);
}

TEST(Activation, SaysWhatIsWrong) {
  const auto error = [](const Sockets& sockets) { return assign(sockets).error(); };
  EXPECT_EQ(error({kUdp}), "no socket of TCP was passed for the port of UDP, 5004");
  EXPECT_EQ(error({kUdp, kHttp}), "no socket of TCP was passed for the port of UDP, 5004");
  EXPECT_EQ(error({kUdp, kUdp, kTcp}), "two sockets of UDP were passed");
  EXPECT_EQ(error({kUdp, kTcp, kTcp}), "too many sockets of TCP were passed");
  EXPECT_EQ(error({kUdp, kTcp, kHttp, kHttp}), "too many sockets of TCP were passed");
  EXPECT_EQ(error({kTcp, kHttp}), "too many sockets of TCP were passed");
}

}  // namespace
}  // namespace sluice::interop::sfu
