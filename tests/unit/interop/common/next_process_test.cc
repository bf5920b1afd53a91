// The next process of a program, here a shell.
#include "common/next_process.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <span>
#include <string>

namespace sluice::interop::common {
namespace {

// What is_ready() says once there is something to say; empty: it is ready.
std::string outcome(NextProcess& next) {
  pollfd polled{.fd = next.descriptor(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&polled, 1, 10'000), 1);
  const auto ready = next.is_ready();
  return ready ? std::string{} : ready.error();
}

std::string run(const std::string& script, std::span<const int> sockets = {}) {
  auto next = NextProcess::start({"sh", "-c", script}, sockets);
  return next ? outcome(*next) : next.error();
}

TEST(NextProcess, SaysThatItIsReady) { EXPECT_EQ(run("printf r >&3; exec sleep 60"), ""); }

TEST(NextProcess, SaysHowItHasEnded) {
  EXPECT_EQ(run("exit 7"), "it has ended with 7");
  EXPECT_EQ(run("kill -KILL $$"), "it has ended by signal 9");
  const auto next = NextProcess::start({"/nowhere/at/all"}, {});
  ASSERT_FALSE(next);
  EXPECT_NE(next.error().find("No such file"), std::string::npos) << next.error();
}

// Also where one of them has a number that another one gets there.
TEST(NextProcess, HasTheSocketsInTheirOrder) {
  std::array<udp::Descriptor, 3> sockets;
  for (auto& each : sockets) each = udp::Descriptor(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::array order{sockets[2].number(), sockets[0].number(), sockets[1].number()};
  std::string script = "[ \"$SLUICE_INHERITED_SOCKETS\" = 3 ]";
  const auto inode = [](int descriptor) {
    std::array<char, 64> name{};
    const auto path = "/proc/self/fd/" + std::to_string(descriptor);
    const auto size = readlink(path.c_str(), name.data(), name.size());
    return std::string(name.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  };
  for (std::size_t i = 0; i < order.size(); ++i) {
    script += " && [ \"$(readlink /proc/$$/fd/" + std::to_string(3 + i) + ")\" = '" +
              inode(order.at(i)) + "' ]";
  }
  EXPECT_EQ(run(script + " && [ ! -e /proc/$$/fd/7 ] && printf r >&6 && exec sleep 60", order), "");
}

TEST(NextProcess, EndsWithItsObjectUnlessReleased) {
  pid_t id = 0;
  {
    const auto next = NextProcess::start({"sleep", "60"}, {});
    ASSERT_TRUE(next) << next.error();
    id = next->id();
    EXPECT_EQ(kill(id, 0), 0);
  }
  EXPECT_EQ(kill(id, 0), -1);
}

TEST(NextProcess, WasNotStartedHere) {
  const auto sockets = inherited_sockets();
  ASSERT_TRUE(sockets);
  EXPECT_FALSE(*sockets);
  tell_ready();
}

}  // namespace
}  // namespace sluice::interop::common
