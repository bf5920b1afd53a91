// The control messages of UDP sockets: local addresses and the sizes of joined datagrams.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>

#include <sluice/dtls/path.h>

namespace sluice::udp {

// Room for the local address and a size.
struct alignas(cmsghdr) Control {
  std::array<std::byte, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int))> bytes;
};

// Sets the local address and the interface of a received message, and returns the size of the
// datagrams that it consists of (UDP_GRO); 0: it is one.
std::size_t read_control(msghdr& message, dtls::UdpPath& path);

// Adds the local address to send from, where the path names one, and the size of the datagrams
// (UDP_SEGMENT) unless that is 0.
void write_control(msghdr& message, Control& control, const dtls::UdpPath& path,
                   std::size_t segment_size);

}  // namespace sluice::udp
