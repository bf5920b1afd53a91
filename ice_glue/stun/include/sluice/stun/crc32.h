// CRC-32 as FINGERPRINT has it.
#pragma once

#include <cstdint>

#include <sluice/dtls/bytes.h>

namespace sluice::stun {

// Polynomial 0xEDB88320 (reflected), initial and final value 0xFFFFFFFF (RFC 8489 section 14.7).
// With it DTLS in STUN names datagrams: Message::dtls_in_stun_ack.
std::uint32_t crc32(dtls::Bytes bytes);

}  // namespace sluice::stun
