// A connection of TCP on loopback of which the test decides each byte.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::test {

class RawConnection {
 public:
  // `from`: the end of its own address, 127.0.0.1 and so on.
  explicit RawConnection(int port, std::uint8_t from = 1)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + from);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~RawConnection() { close(socket_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  void write(std::string_view text) const {
    ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  // Whether the server closes or answers within this time.
  [[nodiscard]] bool has_ended(std::chrono::milliseconds within) const {
    pollfd watched{.fd = socket_, .events = POLLIN, .revents = 0};
    return poll(&watched, 1, static_cast<int>(within.count())) > 0;
  }
  // False: the connection was reset.
  [[nodiscard]] bool can_write(std::string_view text) const {
    return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  // Until the server has sent all; limited by ctest's timeout.
  [[nodiscard]] std::string read_to_end() const {
    std::string all;
    std::array<char, 4096> part{};
    while (true) {
      const ssize_t size = recv(socket_, part.data(), part.size(), 0);
      if (size <= 0) return size == 0 ? all : all + " reset";
      all.append(part.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  int socket_;
};

}  // namespace sluice::test
