#include "common/service_manager.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <sluice/dtls/socket_address.h>
#include <sluice/udp/descriptor.h>

namespace sluice::interop::common {
namespace {

// More sockets than a service of ours has.
constexpr int kMostPassed = 64;

int option_of(int socket, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

std::optional<PassedSocket> look_at(int descriptor) {
  dtls::SocketAddress address;
  if (getsockname(descriptor, address.get(), &address.size) != 0) return std::nullopt;
  const auto own = dtls::to_udp_endpoint(address);
  const int type = option_of(descriptor, SO_TYPE);
  const bool is_stream = type == SOCK_STREAM && option_of(descriptor, SO_ACCEPTCONN) == 1;
  if (!own || (!is_stream && type != SOCK_DGRAM)) return std::nullopt;
  return PassedSocket{.descriptor = descriptor, .is_stream = is_stream, .port = own->port};
}

}  // namespace

std::optional<int> number_in(const char* variable) {
  const char* const value = std::getenv(variable);
  if (value == nullptr) return std::nullopt;
  const std::string_view text = value;
  int number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

bool stderr_is_journal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat found{};
  if (stream == nullptr || fstat(STDERR_FILENO, &found) != 0) return false;
  return std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino) == stream;
}

void tell_service_manager(std::string_view what) {
  const char* const variable = std::getenv("NOTIFY_SOCKET");
  if (variable == nullptr) return;
  const std::string_view name = variable;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.empty() || name.size() >= sizeof address.sun_path) return;
  std::ranges::copy(name, address.sun_path);
  if (name.front() == '@') address.sun_path[0] = '\0';  // unix(7): abstract
  const udp::Descriptor out(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  [[maybe_unused]] const auto sent = sendto(out.number(), what.data(), what.size(), MSG_NOSIGNAL,
                                            reinterpret_cast<const sockaddr*>(&address), size);
}

tl::expected<std::vector<PassedSocket>, std::string> sockets_from(int first, int count) {
  if (count < 0 || count > kMostPassed) return tl::unexpected<std::string>("too many");
  std::vector<PassedSocket> sockets;
  for (int descriptor = first; descriptor < first + count; ++descriptor) {
    const auto socket = look_at(descriptor);
    if (!socket) {
      return tl::unexpected("descriptor " + std::to_string(descriptor) +
                            " is no socket of UDP and none of TCP that listens");
    }
    sockets.push_back(*socket);
  }
  return sockets;
}

tl::expected<std::vector<PassedSocket>, std::string> passed_sockets() {
  const auto process = number_in("LISTEN_PID");
  if (!process || *process != getpid()) return std::vector<PassedSocket>{};
  auto sockets = sockets_from(kFirstPassed, number_in("LISTEN_FDS").value_or(0));
  if (!sockets) return tl::unexpected("LISTEN_FDS: " + sockets.error());
  return sockets;
}

}  // namespace sluice::interop::common
