#include "support/rtp_packets.h"

namespace sluice::test {
namespace {

void put16(Packet& packet, std::size_t value) {
  packet.push_back(static_cast<std::byte>(value >> 8 & 0xff));
  packet.push_back(static_cast<std::byte>(value & 0xff));
}

void put32(Packet& packet, std::uint32_t value) {
  put16(packet, value >> 16);
  put16(packet, value & 0xffff);
}

dtls::SrtpMasterKey make_master_key(std::size_t size, unsigned start) {
  dtls::SrtpMasterKey key(size);
  for (std::size_t i = 0; i < size; ++i) {
    key.bytes()[i] = static_cast<std::byte>((start + 7 * i) & 0xff);
  }
  return key;
}

std::size_t master_key_size(dtls::SrtpProfile profile) {
  switch (profile) {
    case dtls::SrtpProfile::aead_aes_256_gcm:
      return 32 + 12;
    case dtls::SrtpProfile::aead_aes_128_gcm:
      return 16 + 12;
    default:
      return 16 + 14;
  }
}

}  // namespace

Packet make_rtp(const RtpFields& fields) {
  Packet packet;
  packet.push_back(
      static_cast<std::byte>(0x80 | (fields.extension_words ? 0x10 : 0) | (fields.csrcs & 0x0f)));
  packet.push_back(std::byte{111});
  put16(packet, fields.sequence);
  put32(packet, 960U * fields.sequence);
  put32(packet, fields.ssrc);
  for (std::uint32_t i = 0; i < fields.csrcs; ++i) put32(packet, 0xc0000000U + i);
  if (fields.extension_words) {
    put16(packet, 0xbede);
    put16(packet, fields.extension_words);
    for (std::uint32_t i = 0; i < fields.extension_words; ++i) put32(packet, 0x10aa0000U + i);
  }
  for (std::size_t i = 0; i < fields.payload; ++i) {
    packet.push_back(static_cast<std::byte>((i + fields.sequence + fields.ssrc) & 0xff));
  }
  return packet;
}

Packet make_rtcp(std::uint32_t ssrc, std::size_t reports) {
  Packet packet{static_cast<std::byte>(0x80 | (reports & 0x1f)), std::byte{201}};
  put16(packet, 1 + 6 * reports);
  put32(packet, ssrc);
  for (std::size_t i = 0; i < reports; ++i) {
    for (std::uint32_t word = 0; word < 6; ++word) put32(packet, 0xa0b0c0d0U + word);
  }
  return packet;
}

KeyPair make_srtp_keys(dtls::SrtpProfile profile, std::uint8_t salt) {
  const auto size = master_key_size(profile);
  const auto client = make_master_key(size, 3U + salt);
  const auto server = make_master_key(size, 101U + salt);
  return {.client = {profile, client.clone(), server.clone()},
          .server = {profile, server.clone(), client.clone()}};
}

}  // namespace sluice::test
