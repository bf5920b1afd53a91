// Seeds of stun_fuzz: a byte for the way it is taken, and a message, attributes or calls.
#include "fuzz/seeds.h"
#include "support/stun_messages.h"

namespace sluice::fuzz {

using namespace stun;
using dtls::Buffer;

void stun_seeds() {
  const IntegrityKey key = test::ice_key();
  const auto seed = [](const std::string& name, std::uint8_t way, dtls::Bytes bytes) {
    write("stun_fuzz", name, test::joined({Buffer{std::byte{way}}, bytes}));
  };
  const auto message = [&](const std::string& name, const Buffer& bytes) {
    seed("message_" + name, 0, bytes);
    const auto body = dtls::Bytes(bytes).subspan(kHeaderSize);
    seed("attributes_" + name, 1, body.first(body.size() - kFingerprintSize));
  };
  message("check", test::written_check(key));
  for (const auto& [name, endpoint] :
       {std::pair("response_ipv4", test::kIpv4Endpoint), {"response_ipv6", test::kIpv6Endpoint}}) {
    message(name, test::written(
                      MessageClass::success_response,
                      [&](Writer& writer) {
                        writer.software("test vector");
                        writer.xor_mapped_address(endpoint);
                        writer.mapped_address(endpoint);
                      },
                      &key));
  }
  message("role_conflict",
          test::written(
              MessageClass::error_response,
              [](Writer& writer) { writer.error_code(487, "Role Conflict"); }, &key));
  message("unknown_attributes", test::written(MessageClass::error_response, [](Writer& writer) {
            writer.error_code(420, "Unknown Attribute");
            writer.unknown_attributes(test::unknown_types({0x7fff}));
          }));
  seed("unknown", 1,
       test::joined({test::stun_attribute(0x7fff, test::bytes_of("x")),
                     test::stun_attribute(0x0014, test::bytes_of("realm")),
                     test::stun_attribute(0x001c, Buffer(32)),
                     test::stun_attribute(0x0006, test::bytes_of("a:b"), std::byte{0xff})}));
  seed("calls", 2,
       test::from_hex("0400 00 0001 00 0009 01 0005 02 01e7 03 0001 04 0000 05 0001 06 0001 07 0000"
                      "08 0000 09 0003 0a 0003 0b 0009"));
  seed("calls_no_room", 2, test::from_hex("0040 02 0001 07 0000 00 0064"));
}

}  // namespace sluice::fuzz
