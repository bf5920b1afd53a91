#include <sluice/tcp/driver.h>

#include <algorithm>

namespace sluice::tcp::detail {

tl::expected<Port, std::string> Port::open(udp::Socket socket, Listener listener) {
  auto port = udp::detail::Port::open(std::move(socket));
  if (!port) return tl::unexpected(std::move(port).error());
  Port made(*std::move(port), std::move(listener));
  if (auto watched = made.watch(made.listener_.descriptor()); !watched) {
    return tl::unexpected(std::move(watched).error());
  }
  return made;
}

void Port::commit(std::size_t size, const dtls::UdpPath& path) {
  if (!is_connection(path)) return udp::detail::Port::commit(size, path);
  listener_.send(room_.first(size), path);
}

void Port::flush() {
  listener_.flush();
  udp::detail::Port::flush();
}

void Port::wake_at(std::optional<dtls::Instant> time) {
  const auto own = listener_.next_timeout();
  udp::detail::Port::wake_at(time && own ? std::min(*time, *own) : time ? time : own);
}

}  // namespace sluice::tcp::detail
