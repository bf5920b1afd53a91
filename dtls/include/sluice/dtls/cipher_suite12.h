// Cipher suites of DTLS 1.2 that a caller brings along, for private use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

// How a suite agrees on keys and what proves who is who: the server's signature, or a pre-shared
// key (RFC 4279 section 2, RFC 5489 section 2).
enum class KeyExchange12 : std::uint8_t { ecdhe_ecdsa, ecdhe_rsa, psk, ecdhe_psk };

constexpr bool uses_psk(KeyExchange12 exchange) {
  return exchange == KeyExchange12::psk || exchange == KeyExchange12::ecdhe_psk;
}
constexpr bool uses_ecdhe(KeyExchange12 exchange) { return exchange != KeyExchange12::psk; }

// Protects the records of one direction under one key (RFC 5246 section 6.2.3). Used by one thread
// at a time. Must not allocate for a record, if the connection isn't to.
class RecordProtection12 {
 public:
  // Of the record: what must be authenticated beside the plaintext and its length.
  struct Header {
    std::uint64_t number;       // epoch (16 bits) and sequence number (48); never twice under a key
    std::uint8_t content_type;  // RFC 5246 section 6.2.1
    ProtocolVersion version;
  };

  virtual ~RecordProtection12() = default;

  // Writes what follows the record's header to `out`, up to head_room + plaintext + tail_room bytes
  // of it, and returns the size. `plaintext` may lie at out + head_room, else they don't overlap.
  // Empty: it can't.
  virtual std::optional<std::size_t> seal(const Header& header, Bytes plaintext,
                                          MutableBytes out) = 0;
  // Decrypts in place what followed the header; the plaintext is a part of `fragment`. Empty: it is
  // too short or not authentic; the bytes may be spoilt.
  virtual std::optional<MutableBytes> open(const Header& header, MutableBytes fragment) = 0;
};

// The parts of a key block that one direction gets (RFC 5246 section 6.3), in bytes.
struct KeySizes12 {
  static constexpr std::size_t kMaxMacKey = 32;
  static constexpr std::size_t kMaxKey = 32;
  static constexpr std::size_t kMaxIv = 16;
  std::size_t mac_key = 0;
  std::size_t key = 0;
  std::size_t iv = 0;
};
struct RecordKeys12 {
  Bytes mac_key;
  Bytes key;
  Bytes iv;
};

// What a record has beside header and plaintext, in bytes.
struct RecordRoom12 {
  static constexpr std::size_t kMaxHead = 16;
  static constexpr std::size_t kMaxTail = 48;
  std::size_t head = 0;  // always so many
  std::size_t tail = 0;  // at most
};

// A suite of the caller's: ConfigOptions::custom_cipher_suites. Immutable; used by all connections
// of a Config, from several threads at once.
class CipherSuite12 {
 public:
  // What IANA leaves to private use (RFC 8446 section 11): 0xff00 to 0xffff.
  static constexpr std::uint16_t kFirstPrivateUse = 0xff00;

  virtual ~CipherSuite12() = default;

  [[nodiscard]] virtual CipherSuite id() const = 0;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual KeyExchange12 key_exchange() const = 0;
  // Of the PRF and the Finished messages: sha256 or sha384.
  [[nodiscard]] virtual HashAlgorithm hash() const = 0;
  [[nodiscard]] virtual KeySizes12 key_sizes() const = 0;
  [[nodiscard]] virtual RecordRoom12 room() const = 0;
  // One direction's protection; the keys are valid during the call alone. Null: it can't, which
  // ends the handshake with internal_error.
  [[nodiscard]] virtual std::unique_ptr<RecordProtection12> protect(
      const RecordKeys12& keys) const = 0;
};

}  // namespace sluice::dtls
