#include "support/hello_fields.h"

#include <sluice/dtls/config.h>

#include <algorithm>

#include "crypto/library.h"
#include "support/bytes.h"
#include "support/endpoints.h"
#include "wire/writer.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
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
