#include "common/client/received_bytes.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace sluice::interop {

void ReceivedBytes::watch(int socket) {
  const std::scoped_lock lock(mutex_);
  socket_ = udp::Descriptor(fcntl(socket, F_DUPFD_CLOEXEC, 0));
}

std::uint64_t ReceivedBytes::count() const {
  const std::scoped_lock lock(mutex_);
  tcp_info info{};
  socklen_t size = sizeof info;
  const bool is_known =
      socket_.is_open() && getsockopt(socket_.number(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
  return is_known ? info.tcpi_bytes_received : 0;
}

}  // namespace sluice::interop
