// Leads the datagrams of a connection to the thread that has it, although the peer's address has
// changed: a program in the kernel reads the first octet of connection IDs.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include <sluice/udp/socket.h>

namespace sluice::udp {

// For Endpoints with dtls::RoutableConnectionIds, one per thread. Attaches a classic BPF program to
// all sockets that share the port of `socket` (SO_ATTACH_REUSEPORT_CBPF): the first octet of the
// connection ID names the worker that receives a datagram. Where there is no ID, or it names a
// worker that does not exist, the kernel chooses a socket by the hash of the addresses, as it does
// without a program.
//
// Call it once all sockets are bound: the order of bind() numbers the workers, from 0. Close none
// of them before the last is done, because the kernel then gives another socket its number. The
// error names the system call.
tl::expected<void, std::string> steer_by_connection_id(const Socket& socket);

}  // namespace sluice::udp
