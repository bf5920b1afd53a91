#include "common/lite/lite_port.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <vector>

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

using Announced = std::vector<ice_lite::AnnouncedAddress>;

Announced announced(LiteCandidates candidates) {
  return announced_addresses({.candidates = candidates, .announced = {"192.0.2.1:5004"}}, 1)
      .value();
}

TEST(LitePort, AnnouncesAnotherAddressForTheChosenTransports) {
  const dtls::UdpEndpoint address{dtls::Ipv4Address{192, 0, 2, 1}, 5004};
  const ice_lite::AnnouncedAddress udp{.address = address};
  const ice_lite::AnnouncedAddress tcp{.address = address,
                                       .transport = ice_lite::CandidateTransport::tcp_passive};
  const auto same = [](const Announced& found, const Announced& expected) {
    return std::ranges::equal(found, expected, [](const auto& a, const auto& b) {
      return a.address == b.address && a.transport == b.transport;
    });
  };
  EXPECT_TRUE(same(announced(LiteCandidates::udp), {udp}));
  EXPECT_TRUE(same(announced(LiteCandidates::tcp), {tcp}));
  EXPECT_TRUE(same(announced(LiteCandidates::udp_and_tcp), {udp, tcp}));
}

TEST(LitePort, NamesAWrongAddressAlsoWhereAnotherIsAnnounced) {
  const auto wrong =
      announced_addresses({.addresses = {"nowhere"}, .announced = {"192.0.2.1:5004"}}, 1);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error(), "no IP address: nowhere");
}

}  // namespace
}  // namespace sluice::interop
