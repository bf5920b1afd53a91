#include "message/client_hello.h"

#include <algorithm>

#include "wire/types.h"

namespace sluice::dtls::message {
std::optional<ClientHello> ClientHello::decode(Bytes body) {
  wire::Reader reader(body);
  ClientHello hello;
  hello.legacy_version = reader.code<ProtocolVersion>();
  const Bytes random = reader.bytes(hello.random.size());
  std::ranges::copy(random, hello.random.begin());
  hello.session_id = reader.vector8();
  hello.cookie = reader.vector8();
  const Bytes suites = reader.vector16();
  hello.compression_methods = reader.vector8();
  const Bytes extensions = reader.more() ? reader.vector16() : Bytes{};
  if (!reader.complete() || hello.session_id.size() > wire::kMaxSessionId || suites.empty() ||
      suites.size() % 2 != 0 || hello.compression_methods.empty()) {
    return std::nullopt;
  }
  hello.cipher_suites = wire::CodeList<CipherSuite>(suites);
  const auto block = ExtensionBlock::parse(extensions);
  if (!block) return std::nullopt;
  hello.extensions = *block;
  return hello;
}

}  // namespace sluice::dtls::message
