#include "common/lite/lite_port.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace sluice::interop {
namespace {

int receive_buffer(int descriptor) {
  int size = 0;
  socklen_t length = sizeof size;
  EXPECT_EQ(getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, &length), 0);
  return size;
}

// The kernel keeps twice the size.
int expected_buffer() {
  int most = 0;
  std::ifstream{"/proc/sys/net/core/rmem_max"} >> most;
  return 2 * std::min(most, 1024 * 1024);
}

TEST(LitePort, HasTheReceiveBufferThatEveryProcessMayHave) {
  auto environment = dtls::Environment::make().value();
  const auto sockets = open_sockets({}, environment);
  ASSERT_TRUE(sockets) << sockets.error();
  EXPECT_EQ(receive_buffer(sockets->udp.descriptor()), expected_buffer());
}

TEST(LitePort, GivesAdoptedSocketsTheSameReceiveBuffer) {
  auto environment = dtls::Environment::make().value();
  const int udp = socket(AF_INET, SOCK_DGRAM, 0);
  const int tcp = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(listen(tcp, 1), 0);
  const auto sockets =
      open_sockets({.adopted = AdoptedSockets{.udp = udp, .tcp = tcp}}, environment);
  ASSERT_TRUE(sockets) << sockets.error();
  EXPECT_EQ(receive_buffer(udp), expected_buffer());
}

}  // namespace
}  // namespace sluice::interop
