// What libcrypto encodes.
#pragma once

#include <openssl/crypto.h>
#include <sluice/dtls/bytes.h>

#include <stdexcept>

namespace sluice::test {

// What i2d_...(object) writes.
template <class Object, class Encode>
dtls::Buffer der_of(Object* object, Encode encode) {
  unsigned char* der = nullptr;
  const int size = encode(object, &der);
  if (size <= 0) throw std::runtime_error("i2d");
  const auto* begin = reinterpret_cast<const std::byte*>(der);
  dtls::Buffer bytes(begin, begin + size);
  OPENSSL_free(der);
  return bytes;
}

}  // namespace sluice::test
