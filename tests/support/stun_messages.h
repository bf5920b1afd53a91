// STUN messages made byte by byte, and by Sluice's own Writer.
#pragma once

#include <sluice/stun/message.h>
#include <sluice/stun/writer.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::test {

inline constexpr std::string_view kIcePassword = "VOkJxbRl1RmTxUk/WvJxBt";
inline constexpr stun::TransactionId kTransaction{
    std::byte{0xb7}, std::byte{0xe7}, std::byte{0xa7}, std::byte{0x01},
    std::byte{0xbc}, std::byte{0x34}, std::byte{0xd6}, std::byte{0x86},
    std::byte{0xfa}, std::byte{0x87}, std::byte{0xdf}, std::byte{0xae}};
inline const dtls::UdpEndpoint kIpv4Endpoint{dtls::Ipv4Address{192, 0, 2, 1}, 32853};
inline const dtls::UdpEndpoint kIpv6Endpoint{
    dtls::Ipv6Address{0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78, 0, 0x11, 0x22, 0x33, 0x44,
                      0x55, 0x66, 0x77},
    32853};

inline stun::IntegrityKey ice_key(std::string_view password = kIcePassword) {
  return must(stun::IntegrityKey::make(environment(), password));
}

inline void put16(dtls::Buffer& out, std::size_t value) {
  out.push_back(static_cast<std::byte>(value >> 8 & 0xff));
  out.push_back(static_cast<std::byte>(value & 0xff));
}

// With padding bytes of any value.
inline dtls::Buffer stun_attribute(std::uint16_t type, dtls::Bytes value,
                                   std::byte padding = std::byte{0}) {
  dtls::Buffer bytes;
  put16(bytes, type);
  put16(bytes, value.size());
  bytes.insert(bytes.end(), value.begin(), value.end());
  while (bytes.size() % 4 != 0) bytes.push_back(padding);
  return bytes;
}
inline dtls::Buffer stun_attribute(stun::AttributeType type, dtls::Bytes value) {
  return stun_attribute(static_cast<std::uint16_t>(type), value);
}

inline stun::UnknownAttributes unknown_types(std::initializer_list<int> types) {
  stun::UnknownAttributes unknown;
  for (const int type : types) unknown.add(static_cast<stun::AttributeType>(type));
  return unknown;
}

// A message of this type (0x0001 is a Binding request) whose attributes are these bytes.
inline dtls::Buffer stun_message(std::uint16_t type, const std::vector<dtls::Buffer>& attributes) {
  dtls::Buffer body;
  for (const dtls::Buffer& attribute : attributes) {
    body.insert(body.end(), attribute.begin(), attribute.end());
  }
  dtls::Buffer bytes;
  put16(bytes, type);
  put16(bytes, body.size());
  const dtls::Buffer cookie = from_hex("2112a442");
  return joined({bytes, cookie, kTransaction, body});
}
inline dtls::Buffer binding_request(const std::vector<dtls::Buffer>& attributes) {
  return stun_message(0x0001, attributes);
}

// A whole message by a Writer; `write` adds the attributes.
template <class Write>
dtls::Buffer written(stun::MessageClass message_class, Write write,
                     const stun::IntegrityKey* key = nullptr) {
  dtls::Buffer out(65552);
  stun::Writer writer(out, message_class, stun::Method::binding, kTransaction);
  write(writer);
  out.resize(must(key != nullptr ? writer.finish(environment(), *key) : writer.finish()));
  return out;
}

// A connectivity check with all that ICE puts into one, and DTLS in STUN.
inline dtls::Buffer written_check(const stun::IntegrityKey& key) {
  return written(
      stun::MessageClass::request,
      [](stun::Writer& writer) {
        writer.username("evtj:h6vY");
        writer.priority(0x6e0001ff);
        writer.ice_controlling(0x932ff9b151263b36);
        writer.use_candidate();
        writer.nomination(7);
        writer.dtls_in_stun_ack(std::array{0x01020304U, 0xfffefdfcU});
        writer.dtls_in_stun(bytes_of("a DTLS datagram"));
      },
      &key);
}

// Every field of a decoded message, in a fixed order.
inline void rewrite(stun::Writer& writer, const stun::Message& message) {
  const auto text = [](dtls::Bytes bytes) {
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  if (message.username) writer.username(text(*message.username));
  if (message.priority) writer.priority(*message.priority);
  if (message.use_candidate) writer.use_candidate();
  if (message.ice_controlling) writer.ice_controlling(*message.ice_controlling);
  if (message.ice_controlled) writer.ice_controlled(*message.ice_controlled);
  if (message.nomination) writer.nomination(*message.nomination);
  if (message.xor_mapped_address) writer.xor_mapped_address(*message.xor_mapped_address);
  if (message.mapped_address) writer.mapped_address(*message.mapped_address);
  if (message.error_code) writer.error_code(*message.error_code, text(message.error_reason));
  if (message.unknown_to_peer) writer.unknown_attributes(*message.unknown_to_peer);
  if (message.software) writer.software(text(*message.software));
  if (message.dtls_in_stun) writer.dtls_in_stun(*message.dtls_in_stun);
  if (message.dtls_in_stun_ack) {
    std::vector<std::uint32_t> hashes;
    for (dtls::Bytes rest = *message.dtls_in_stun_ack; !rest.empty(); rest = rest.subspan(4)) {
      std::uint32_t hash = 0;
      for (const std::byte byte : rest.first(4)) {
        hash = hash << 8 | std::to_integer<std::uint32_t>(byte);
      }
      hashes.push_back(hash);
    }
    writer.dtls_in_stun_ack(hashes);
  }
}

// All but what is not known, the integrity and FINGERPRINT.
inline bool same_fields(const stun::Message& a, const stun::Message& b) {
  const auto same = [](const std::optional<dtls::Bytes>& x, const std::optional<dtls::Bytes>& y) {
    return x.has_value() == y.has_value() && (!x || std::ranges::equal(*x, *y));
  };
  return a.message_class == b.message_class && a.method == b.method &&
         a.transaction == b.transaction && same(a.username, b.username) &&
         a.priority == b.priority && a.use_candidate == b.use_candidate &&
         a.ice_controlling == b.ice_controlling && a.ice_controlled == b.ice_controlled &&
         a.nomination == b.nomination && a.xor_mapped_address == b.xor_mapped_address &&
         a.mapped_address == b.mapped_address && a.error_code == b.error_code &&
         std::ranges::equal(a.error_reason, b.error_reason) &&
         a.unknown_to_peer == b.unknown_to_peer && same(a.software, b.software) &&
         same(a.dtls_in_stun, b.dtls_in_stun) && same(a.dtls_in_stun_ack, b.dtls_in_stun_ack);
}

}  // namespace sluice::test
