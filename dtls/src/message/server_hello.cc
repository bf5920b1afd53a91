#include "message/server_hello.h"

#include <algorithm>

#include "wire/types.h"

namespace sluice::dtls::message {
namespace {

template <class... Octets>
constexpr auto octets(Octets... values) {
  return std::array<std::byte, sizeof...(Octets)>{static_cast<std::byte>(values)...};
}

}  // namespace

const std::array<std::byte, 32> kHelloRetryRequestRandom = octets(
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c);

const std::array<std::byte, 8> kDowngradeTo12 = octets('D', 'O', 'W', 'N', 'G', 'R', 'D', 0x01);
const std::array<std::byte, 8> kDowngradeBelow12 = octets('D', 'O', 'W', 'N', 'G', 'R', 'D', 0x00);

std::optional<ServerHello> ServerHello::decode(Bytes body) {
  wire::Reader reader(body);
  ServerHello hello;
  hello.version = reader.code<ProtocolVersion>();
  const Bytes random = reader.bytes(hello.random.size());
  std::ranges::copy(random, hello.random.begin());
  hello.session_id = reader.vector8();
  hello.cipher_suite = reader.code<CipherSuite>();
  hello.compression_method = reader.u8();
  const Bytes extensions = reader.more() ? reader.vector16() : Bytes{};
  if (!reader.complete() || hello.session_id.size() > wire::kMaxSessionId) return std::nullopt;
  const auto block = ExtensionBlock::parse(extensions);
  if (!block) return std::nullopt;
  hello.extensions = *block;
  return hello;
}

}  // namespace sluice::dtls::message
