#include "negotiation/hello_retry.h"

#include <algorithm>
#include <array>

#include "crypto/library.h"
#include "message/server_hello.h"

namespace sluice::dtls::handshake {
namespace {

using message::ClientHello;
using wire::ExtensionType;

constexpr ExtensionType kPadding{21};                   // RFC 7685
constexpr ExtensionType kEarlyData{42};                 // RFC 8446
constexpr ExtensionType kEncryptedClientHello{0xfe0d};  // RFC 9849

// RFC 8446 section 4.1.2. A client encrypts an Encrypted ClientHello anew (RFC 9849).
bool may_change(ExtensionType type, bool asks_for_share) {
  return type == ExtensionType::cookie || type == kPadding ||
         type == ExtensionType::pre_shared_key || type == kEarlyData ||
         type == kEncryptedClientHello || (type == ExtensionType::key_share && asks_for_share);
}

// The fields of a hello, each with a length before it or of fixed size, so that different hellos
// give different bytes.
struct Parts {
  explicit Parts(const ClientHello& hello) {
    wire::store(MutableBytes(sizes).first(2), wire::value_of(hello.legacy_version));
    sizes[2] = static_cast<std::byte>(hello.session_id.size());
    wire::store(MutableBytes(sizes).subspan(3, 2), hello.cipher_suites.bytes().size());
    sizes[5] = static_cast<std::byte>(hello.compression_methods.size());
    add(sizes);
    add(hello.random);
    add(hello.session_id);
    add(hello.cipher_suites.bytes());
    add(hello.compression_methods);
  }

  void add(Bytes part) { parts[count++] = part; }
  // Adds the extensions that must not change in the order of their types. Their order in the hello
  // has no meaning (RFC 8446 section 4.2), and some clients change it in the second hello.
  void add_extensions(const message::ExtensionBlock& extensions, bool asks_for_share) {
    extensions.all_of([&](const auto& extension) {
      if (!may_change(extension.type, asks_for_share)) add(extension.encoding);
      return true;
    });
    // An encoding begins with the type, which occurs once.
    std::ranges::sort(std::span(parts).subspan(kFields, count - kFields),
                      [](Bytes one, Bytes other) {
                        return std::ranges::lexicographical_compare(one.first(2), other.first(2));
                      });
  }
  [[nodiscard]] std::span<const Bytes> all() const { return std::span(parts).first(count); }

  static constexpr std::size_t kFields = 5;
  std::array<std::byte, 6> sizes{};
  std::array<Bytes, kFields + message::ExtensionBlock::kMaxExtensions> parts;
  std::size_t count = 0;
};

}  // namespace

void put_retry_request(wire::Writer& out, const RetryRequest& request) {
  const auto put_extensions = [&](wire::Writer& extensions) {
    message::put_extension(extensions, ExtensionType::supported_versions,
                           [](wire::Writer& data) { data.code(ProtocolVersion::dtls13); });
    if (request.group) {
      message::put_extension(extensions, ExtensionType::key_share,
                             [&](wire::Writer& data) { data.code(*request.group); });
    }
    if (request.cookie.empty()) return;
    message::put_extension(extensions, ExtensionType::cookie, [&](wire::Writer& data) {
      const auto cookie = data.vector16({.min = 1});
      data.bytes(request.cookie);
    });
  };
  message::put_server_hello(out, message::kHelloRetryRequestRandom, {}, request.suite->id,
                            put_extensions);
}

Result<crypto::Digest> digest_of_repeated13(crypto::Library& library, const ClientHello& hello,
                                            bool asks_for_share) {
  Parts parts(hello);
  parts.add_extensions(hello.extensions, asks_for_share);
  return crypto::digest_of_parts(library, HashAlgorithm::sha256, parts.all());
}

Result<crypto::Digest> digest_of_repeated12(crypto::Library& library, const ClientHello& hello) {
  return crypto::digest_of_parts(library, HashAlgorithm::sha256, Parts(hello).all());
}

Result<crypto::Digest> hash_of_hello13(crypto::Library& library, HashAlgorithm hash, Bytes body) {
  std::array<std::byte, 4> header{static_cast<std::byte>(wire::HandshakeType::client_hello)};
  wire::store(MutableBytes(header).subspan(1), body.size());
  const std::array<Bytes, 2> parts{header, body};
  return crypto::digest_of_parts(library, hash, parts);
}

}  // namespace sluice::dtls::handshake
