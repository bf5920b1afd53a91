// INIT chunks outside a handshake: a=sctp-init (draft-hancke-tsvwg-snap).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "byte_order.h"

namespace sluice::data_channel {

// Bytes of an INIT chunk. More than any peer has, and less than a packet (RFC 9260 section 3.3.2
// has no limit).
inline constexpr std::size_t kMaxInit = 1024;

// The INIT chunk of a packet that consists of one; empty otherwise.
Bytes init_chunk_of(Bytes packet);
// Whether `chunk` is a whole INIT chunk (RFC 9260 section 3.3.2) whose parameters fit into it.
bool is_init_chunk(Bytes chunk);

// The peer's INIT as a packet. Precondition of this and the next: is_init_chunk() accepts the
// chunk.
Buffer make_init(Bytes peer_init, std::uint16_t peer_port, std::uint16_t own_port);
// The peer's COOKIE ECHO for our INIT ACK; empty if `init_ack` is no packet with one.
Buffer make_cookie_echo(Bytes own_init, Bytes init_ack, std::uint16_t peer_port,
                        std::uint16_t own_port);

// CRC32c, the checksum of SCTP (RFC 9260 appendix A).
std::uint32_t crc32c(Bytes bytes);
// Writes it into the common header. Precondition: there is one.
void set_checksum(MutableBytes packet);

}  // namespace sluice::data_channel
