#include "control.h"

#include <netinet/udp.h>

#include <cstdint>
#include <cstring>
#include <variant>

#include <sluice/dtls/socket_address.h>

#include "family.h"

namespace sluice::udp {
namespace {

template <class Info>
Info info_of(cmsghdr* header) {
  Info info{};
  std::memcpy(&info, CMSG_DATA(header), sizeof info);
  return info;
}

// Writes control messages one behind the other.
class ControlWriter {
 public:
  ControlWriter(msghdr& message, Control& control) : message_(message), control_(control) {}

  template <class Info>
  void put(int level, int type, const Info& info) {
    message_.msg_control = control_.bytes.data();
    message_.msg_controllen = used_ + CMSG_SPACE(sizeof info);
    auto* header = reinterpret_cast<cmsghdr*>(control_.bytes.data() + used_);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
    used_ += CMSG_SPACE(sizeof info);
  }

 private:
  msghdr& message_;
  Control& control_;
  std::size_t used_ = 0;
};

}  // namespace

std::size_t read_control(msghdr& message, dtls::UdpPath& path) {
  std::size_t segment_size = 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
      dtls::detail::copy_address(info_of<in_pktinfo>(header).ipi_addr,
                                 path.own.address.emplace<dtls::Ipv4Address>());
    } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
      const auto info = info_of<in6_pktinfo>(header);
      dtls::detail::copy_address(info.ipi6_addr, path.own.address.emplace<dtls::Ipv6Address>());
      path.own = unmapped(path.own);
      // A link-local address is only unique together with its interface.
      if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) path.socket = dtls::SocketId{info.ipi6_ifindex};
    } else if (header->cmsg_level == IPPROTO_UDP && header->cmsg_type == UDP_GRO) {
      segment_size = static_cast<std::size_t>(info_of<int>(header));
    }
  }
  return segment_size;
}

void write_control(msghdr& message, Control& control, const dtls::UdpPath& path,
                   std::size_t segment_size) {
  ControlWriter writer(message, control);
  if (path.own != dtls::UdpEndpoint{}) {
    if (const auto* v4 = std::get_if<dtls::Ipv4Address>(&path.own.address)) {
      in_pktinfo info{};
      dtls::detail::copy_address(*v4, info.ipi_spec_dst);
      writer.put(IPPROTO_IP, IP_PKTINFO, info);
    } else {
      in6_pktinfo info{};
      dtls::detail::copy_address(std::get<dtls::Ipv6Address>(path.own.address), info.ipi6_addr);
      writer.put(IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
  }
  if (segment_size != 0) {
    writer.put(IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(segment_size));
  }
}

}  // namespace sluice::udp
