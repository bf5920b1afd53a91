// Leads the datagrams of a connection to the thread that has it, although the peer's address has
// changed: a program in the kernel reads the first octet of connection IDs.
#pragma once

#include <linux/filter.h>

#include <span>
#include <string>
#include <tl/expected.hpp>

#include "tools/udp_socket.h"

namespace sluice::interop::tools {

// A classic BPF program for SO_ATTACH_REUSEPORT_CBPF. It returns the worker that the first octet of
// the connection ID names (dtls::RoutableConnectionIds). Where there is no ID it returns a number
// that no socket has; then the kernel chooses a socket by the hash of the addresses, as it does
// without a program. The same happens where the ID names a worker that does not exist.
[[nodiscard]] std::span<const sock_filter> steering_program();

// Attaches the program to all sockets that share the port of `socket` (SO_REUSEPORT). Call it once
// all are bound: the order of bind() numbers the workers, from 0. Close none of them before the
// last is done, because the kernel then gives another socket its number. The error names the system
// call.
tl::expected<void, std::string> steer_by_connection_id(const UdpSocket& socket);

}  // namespace sluice::interop::tools
