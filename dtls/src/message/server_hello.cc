#include "message/server_hello.h"

#include <algorithm>

#include "wire/types.h"

namespace sluice::dtls::message {
namespace {}  // namespace

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
