#include "support/hello_fields.h"

#include <sluice/dtls/config.h>

#include <algorithm>
#include <stdexcept>

#include "crypto/key_exchange.h"
#include "crypto/library.h"
#include "message/client_hello.h"
#include "message/handshake_fragment.h"
#include "support/bytes.h"
#include "support/endpoints.h"
#include "wire/writer.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::Bytes;
using dtls::wire::ExtensionType;
using dtls::wire::Writer;

std::array<std::byte, 32> fresh_random() {
  std::array<std::byte, 32> random{};
  must(environment().library().random(random));
  return random;
}

void put_extensions(Writer& out, const Extensions& extensions) {
  const auto block = out.vector16();
  for (const Extension& extension : extensions) {
    out.code(extension.type);
    const auto data = out.vector16();
    out.bytes(extension.data);
  }
}

}  // namespace

void Extensions::set(ExtensionType type, Buffer data) {
  const auto found = std::ranges::find(*this, type, &Extension::type);
  if (found == end()) {
    push_back({type, std::move(data)});
  } else {
    found->data = std::move(data);
  }
}

void Extensions::remove(ExtensionType type) {
  std::erase_if(*this, [&](const Extension& extension) { return extension.type == type; });
}

bool Extensions::has(ExtensionType type) const {
  return std::ranges::find(*this, type, &Extension::type) != end();
}

ClientHelloFields::ClientHelloFields()
    : random(fresh_random()), suites(dtls::ConfigOptions::default_cipher_suites()) {
  extensions = {{ExtensionType::renegotiation_info, from_hex("00")},
                {ExtensionType::extended_master_secret, {}},
                {ExtensionType::supported_groups, from_hex("0006 001d 0017 0018")},
                {ExtensionType::ec_point_formats, from_hex("01 00")},
                {ExtensionType::signature_algorithms,
                 from_hex("000a 0403 0503 0804 0401 0203")},  // the last is SHA-1 with ECDSA
                {ExtensionType::use_srtp, from_hex("0006 0001 0007 0008 00")}};
}

Buffer ClientHelloFields::encode() const {
  Buffer body;
  Writer out(body);
  out.code(version);
  out.bytes(random);
  {
    const auto vector = out.vector8();
    out.bytes(session_id);
  }
  {
    const auto vector = out.vector8();
    out.bytes(cookie);
  }
  {
    const auto vector = out.vector16();
    for (const dtls::CipherSuite suite : suites) out.code(suite);
  }
  {
    const auto vector = out.vector8();
    out.bytes(compression_methods);
  }
  put_extensions(out, extensions);
  return body;
}

ClientHelloFields ClientHelloFields::decode(dtls::Bytes body) {
  const auto hello = dtls::message::ClientHello::decode(body);
  if (!hello) throw std::invalid_argument("no ClientHello");
  ClientHelloFields fields;
  fields.version = hello->legacy_version;
  fields.random = hello->random;
  fields.session_id = copy_of(hello->session_id);
  fields.cookie = copy_of(hello->cookie);
  fields.suites.assign(hello->cipher_suites.begin(), hello->cipher_suites.end());
  fields.compression_methods = copy_of(hello->compression_methods);
  fields.extensions.clear();
  hello->extensions.all_of([&](const auto& extension) {
    fields.extensions.push_back({extension.type, copy_of(extension.data)});
    return true;
  });
  return fields;
}

ClientHelloFields hello_fields13() {
  ClientHelloFields fields;
  fields.suites = {dtls::CipherSuite::aes_128_gcm_sha256, dtls::CipherSuite::aes_256_gcm_sha384};
  const auto key =
      must(dtls::crypto::EphemeralKey::generate(environment().library(), dtls::NamedGroup::x25519));
  Buffer share = from_hex("0024 001d 0020");
  const auto bytes = must(key.share());
  share.insert(share.end(), bytes.bytes().begin(), bytes.bytes().end());
  fields.extensions = {{ExtensionType::supported_versions, from_hex("02 fefc")},
                       {ExtensionType::supported_groups, from_hex("0004 001d 0017")},
                       {ExtensionType::signature_algorithms, from_hex("0002 0403")},
                       {ExtensionType::key_share, share}};
  return fields;
}

std::vector<Buffer> datagrams_of(const ClientHelloFields& hello, const HelloTransport& transport) {
  const Buffer body = hello.encode();
  std::vector<Buffer> datagrams;
  std::uint64_t record = transport.record;
  for (std::size_t at = 0; at < body.size(); at += transport.max_fragment) {
    const Bytes piece = Bytes(body).subspan(at, std::min(transport.max_fragment, body.size() - at));
    Buffer datagram;
    Writer out(datagram);
    out.code(dtls::wire::ContentType::handshake);
    out.code(dtls::ProtocolVersion::dtls10);
    out.u16(0);
    out.u48(record++);
    out.u16(static_cast<std::uint16_t>(dtls::message::kHandshakeHeaderSize + piece.size()));
    out.code(dtls::wire::HandshakeType::client_hello);
    out.u24(static_cast<std::uint32_t>(body.size()));
    out.u16(transport.message_seq);
    out.u24(static_cast<std::uint32_t>(at));
    out.u24(static_cast<std::uint32_t>(piece.size()));
    out.bytes(piece);
    datagrams.push_back(datagram);
  }
  return datagrams;
}

Buffer datagram_of(const ClientHelloFields& hello, const HelloTransport& transport) {
  return datagrams_of(hello, transport).at(0);
}

ServerHelloFields::ServerHelloFields() : random(fresh_random()) {
  extensions = {{ExtensionType::renegotiation_info, from_hex("00")},
                {ExtensionType::extended_master_secret, {}},
                {ExtensionType::ec_point_formats, from_hex("01 00")},
                {ExtensionType::use_srtp, from_hex("0002 0007 00")}};
}

Buffer ServerHelloFields::encode() const {
  Buffer body;
  Writer out(body);
  out.code(version);
  out.bytes(random);
  {
    const auto vector = out.vector8();
    out.bytes(session_id);
  }
  out.code(suite);
  out.u8(compression_method);
  put_extensions(out, extensions);
  return body;
}

}  // namespace sluice::test
