#include "sfu/operations/activation.h"

#include <algorithm>

namespace sluice::interop::sfu {

tl::expected<Activation, std::string> assign(std::span<const common::PassedSocket> sockets) {
  using common::PassedSocket;
  Activation found;
  const auto udp = std::ranges::find(sockets, false, &PassedSocket::is_stream);
  const bool has_media = udp != sockets.end();
  std::optional<int> tcp;
  for (auto socket = sockets.begin(); socket != sockets.end(); ++socket) {
    if (socket == udp) continue;
    if (!socket->is_stream) return tl::unexpected<std::string>("two sockets of UDP were passed");
    auto& place = has_media && socket->port == udp->port ? tcp : found.http;
    if (place) return tl::unexpected<std::string>("too many sockets of TCP were passed");
    place = socket->descriptor;
  }
  if (has_media && !tcp) {
    return tl::unexpected("no socket of TCP was passed for the port of UDP, " +
                          std::to_string(udp->port));
  }
  if (has_media) found.media = AdoptedSockets{.udp = udp->descriptor, .tcp = *tcp};
  return found;
}

}  // namespace sluice::interop::sfu
