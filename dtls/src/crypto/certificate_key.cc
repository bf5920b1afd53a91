#include "crypto/certificate_key.h"

#include <openssl/asn1.h>

#include <algorithm>
#include <array>

#include "crypto/failure.h"
#include "crypto/key_exchange.h"
#include "crypto/library.h"

namespace sluice::dtls::crypto {
namespace {

// One DER element: the whole encoding, and the contents.
struct Element {
  int tag;
  int tag_class;
  bool constructed;
  Bytes encoding;
  Bytes contents;
};

// Takes the first element of `rest`.
std::optional<Element> take(Bytes& rest) {
  constexpr int kError = 0x80;
  constexpr int kIndefinite = 0x01;
  const unsigned char* const start = octets(rest);
  const unsigned char* at = start;
  long length = 0;
  Element element{};
  const int flags = ASN1_get_object(&at, &length, &element.tag, &element.tag_class,
                                    static_cast<long>(rest.size()));
  if (rest.empty() || (flags & (kError | kIndefinite)) != 0 || length < 0) {
    drain_error_queue();
    return std::nullopt;
  }
  const auto header = static_cast<std::size_t>(at - start);
  const std::size_t size = header + static_cast<std::size_t>(length);
  if (size > rest.size()) return std::nullopt;
  element.constructed = (flags & V_ASN1_CONSTRUCTED) != 0;
  element.encoding = rest.first(size);
  element.contents = element.encoding.subspan(header);
  rest = rest.subspan(size);
  return element;
}

std::optional<Element> take(Bytes& rest, int tag, bool constructed) {
  auto element = take(rest);
  if (!element || element->tag != tag || element->tag_class != V_ASN1_UNIVERSAL ||
      element->constructed != constructed) {
    return std::nullopt;
  }
  return element;
}

std::optional<Element> take_sequence(Bytes& rest) { return take(rest, V_ASN1_SEQUENCE, true); }

// SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING of 65 bytes (RFC 5480 section 2).
constexpr std::array<unsigned char, 26> kP256Prefix{
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

std::optional<Bytes> p256_point(Bytes info) {
  const Bytes prefix = std::as_bytes(std::span(kP256Prefix));
  if (info.size() != prefix.size() + kP256PointSize ||
      !std::ranges::equal(info.first(prefix.size()), prefix)) {
    return std::nullopt;
  }
  return info.last(kP256PointSize);
}

Result<PublicKey> p256_key(Library& library, Bytes point) {
  if (peer_public_key(library, NamedGroup::secp256r1, point) != nullptr) return PublicKey(point);
  return failure(Errc::invalid_certificate, Alert::bad_certificate, "point is not on the curve");
}

}  // namespace

std::optional<Bytes> subject_public_key_info(Bytes certificate) {
  const auto outer = take_sequence(certificate);
  if (!outer || !certificate.empty()) return std::nullopt;
  Bytes parts = outer->contents;
  const auto to_be_signed = take_sequence(parts);
  if (!to_be_signed || !take_sequence(parts) || !take(parts, V_ASN1_BIT_STRING, false) ||
      !parts.empty()) {
    return std::nullopt;
  }
  Bytes fields = to_be_signed->contents;
  Bytes probe = fields;
  const auto first = take(probe);
  // Version 1 certificates omit version [0] EXPLICIT.
  if (first && first->tag_class == V_ASN1_CONTEXT_SPECIFIC && first->tag == 0) fields = probe;
  if (!take(fields, V_ASN1_INTEGER, false)) return std::nullopt;  // serialNumber
  for (int i = 0; i < 4; ++i) {  // signature issuer validity subject
    if (!take_sequence(fields)) return std::nullopt;
  }
  const auto info = take_sequence(fields);
  if (!info) return std::nullopt;
  return info->encoding;
}

Result<PublicKey> certificate_key(Library& library, Bytes certificate) {
  if (const auto info = subject_public_key_info(certificate)) {
    if (const auto point = p256_point(*info)) return p256_key(library, *point);
  }
  return certificate_key_by_x509(library, certificate);
}

Result<PublicKey> raw_public_key(Library& library, Bytes info) {
  if (const auto point = p256_point(info)) return p256_key(library, *point);
  const unsigned char* at = octets(info);
  KeyPtr key(d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(info.size()), library.context(),
                           library.properties()));
  if (!key) return failure(Errc::invalid_certificate, Alert::bad_certificate, "d2i_PUBKEY");
  const auto type = key_type(key.get());
  if (!type) return forward_error(type);
  // d2i_PUBKEY also reads BER, and leaves bytes after the key.
  const auto canonical = public_key_info(key.get());
  if (!canonical) return forward_error(canonical);
  if (!std::ranges::equal(*canonical, info)) {
    return failure(Errc::invalid_certificate, Alert::bad_certificate, "raw public key: not DER");
  }
  return PublicKey(*type, std::move(key));
}

Result<Buffer> public_key_info(const EVP_PKEY* key) {
  const int size = i2d_PUBKEY(key, nullptr);
  Buffer der(static_cast<std::size_t>(std::max(size, 0)));
  unsigned char* at = octets(MutableBytes(der));
  if (size <= 0 || i2d_PUBKEY(key, &at) != size) return failure("i2d_PUBKEY");
  return der;
}

Result<PublicKey> certificate_key_by_x509(Library& library, Bytes certificate) {
  CertificatePtr x509(X509_new_ex(library.context(), library.properties()));
  const unsigned char* at = octets(certificate);
  X509* target = x509.get();
  if (d2i_X509(&target, &at, static_cast<long>(certificate.size())) == nullptr) {
    static_cast<void>(x509.release());  // d2i_X509 has freed it
    return failure(Errc::invalid_certificate, Alert::bad_certificate, "d2i_X509");
  }
  if (at != octets(certificate) + certificate.size()) {
    return failure(Errc::invalid_certificate, Alert::bad_certificate,
                   "bytes after the certificate");
  }
  KeyPtr key(X509_get_pubkey(x509.get()));
  if (!key)
    return failure(Errc::unsupported_certificate, Alert::unsupported_certificate, "public key");
  return key_type(key.get()).map([&](KeyType type) { return PublicKey(type, std::move(key)); });
}

}  // namespace sluice::dtls::crypto
