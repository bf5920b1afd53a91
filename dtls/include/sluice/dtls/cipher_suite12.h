// DTLS 1.2 cipher suites that an application implements itself, for private use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

// How a suite agrees on keys, and what authenticates the peers: the server's signature, or a
// pre-shared key (RFC 4279 section 2, RFC 5489 section 2).
enum class KeyExchange12 : std::uint8_t { ecdhe_ecdsa, ecdhe_rsa, psk, ecdhe_psk };

constexpr bool uses_psk(KeyExchange12 exchange) {
  return exchange == KeyExchange12::psk || exchange == KeyExchange12::ecdhe_psk;
}
constexpr bool uses_ecdhe(KeyExchange12 exchange) { return exchange != KeyExchange12::psk; }

// A record's number as DTLS 1.2 has it: epoch (16 bits), then sequence number (48 bits). A key
// never protects two records of the same number.
enum class RecordNumber12 : std::uint64_t {};

// The additional data of one record, which the engine has built: seq_num, type, version and length
// of RFC 5246 section 6.2.3.3, or, where the record carries a connection ID, the form of RFC 9146
// section 5. Both end in a length, which the suite computes when it opens a record.
class AdditionalData12 {
 public:
  static constexpr std::size_t kLengthSize = 2;

  // `bytes`: the whole additional data, at least kLengthSize bytes. with_length() writes the last
  // two.
  explicit AdditionalData12(MutableBytes bytes) : bytes_(bytes) {}

  // All bytes to authenticate besides the text. `length`, up to 65535, is for an AEAD the size of
  // the plaintext, for encrypt-then-MAC (RFC 7366 section 3, RFC 9146 section 5.2) the size of what
  // the MAC covers besides these bytes: IV and ciphertext. Valid until the next call, within the
  // call that the suite is in.
  [[nodiscard]] Bytes with_length(std::size_t length) const {
    bytes_[bytes_.size() - 2] = static_cast<std::byte>(length >> 8 & 0xff);
    bytes_[bytes_.size() - 1] = static_cast<std::byte>(length & 0xff);
    return bytes_;
  }

 private:
  MutableBytes bytes_;
};

// Protects the records of one direction under one key (RFC 5246 section 6.2.3). One thread at a
// time uses an object. seal() and open() must not allocate if the connection is not to allocate per
// record.
//
// An object keeps no state from one record to the next: what it does follows from its keys, the
// record number and, where a suite uses them, fresh random bytes. Records come in any order, and
// some never come. The engine may destroy an object between two records and make another with
// CipherSuite12::protect() and the same keys.
class RecordProtection12 {
 public:
  virtual ~RecordProtection12() = default;

  // Writes what follows the record's header to `out`, which has RecordRoom12::head + plaintext +
  // RecordRoom12::tail bytes, and returns the size. `plaintext` may lie at out + head, else it does
  // not overlap `out`. Where the record carries a connection ID, it is a DTLSInnerPlaintext (RFC
  // 9146 section 4). Empty: sealing failed.
  virtual std::optional<std::size_t> seal(RecordNumber12 number, AdditionalData12 additional_data,
                                          Bytes plaintext, MutableBytes out) = 0;
  // Decrypts in place what followed the header, and returns the part of `fragment` that is the
  // plaintext. Empty: `fragment` is too short or not authentic; its bytes may have changed.
  virtual std::optional<MutableBytes> open(RecordNumber12 number, AdditionalData12 additional_data,
                                           MutableBytes fragment) = 0;
};

// The sizes of one direction's part of the key block (RFC 5246 section 6.3), in bytes.
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

// What protection adds to a record before and after the plaintext, in bytes.
struct RecordRoom12 {
  static constexpr std::size_t kMaxHead = 16;
  static constexpr std::size_t kMaxTail = 48;
  std::size_t head = 0;  // exactly; up to kMaxHead
  std::size_t tail = 0;  // at most; up to kMaxTail
};

// A cipher suite of the application, for ConfigOptions::custom_cipher_suites. Immutable: all
// connections of a Config use it, from several threads at once.
class CipherSuite12 {
 public:
  // IANA leaves 0xff00 to 0xffff to private use (RFC 8446 section 11).
  static constexpr std::uint16_t kFirstPrivateUse = 0xff00;

  virtual ~CipherSuite12() = default;

  [[nodiscard]] virtual CipherSuite id() const = 0;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual KeyExchange12 key_exchange() const = 0;
  // The hash of the PRF and of the Finished messages: sha256 or sha384.
  [[nodiscard]] virtual HashAlgorithm hash() const = 0;
  [[nodiscard]] virtual KeySizes12 key_sizes() const = 0;
  [[nodiscard]] virtual RecordRoom12 room() const = 0;
  // The protection of one direction. Called again with the same keys whenever a connection that had
  // given up its ciphers (Environment::Options::max_warm_connections) needs them again. The keys
  // are valid during the call only. Null: it failed. In the handshake that ends the connection with
  // internal_error; later the record at hand is not sealed, or is discarded.
  [[nodiscard]] virtual std::unique_ptr<RecordProtection12> protect(
      const RecordKeys12& keys) const = 0;
};

}  // namespace sluice::dtls
