// Strong types for the protocol's numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <sluice/dtls/record_header.h>

namespace sluice::dtls::wire {

using dtls::ContentType;
using dtls::Epoch;
using dtls::SequenceNumber;

// RFC 5246 section 7.4, RFC 6347 section 4.3.2, RFC 9147 section 5.2.
enum class HandshakeType : std::uint8_t {
  hello_request = 0,
  client_hello = 1,
  server_hello = 2,
  hello_verify_request = 3,
  new_session_ticket = 4,
  encrypted_extensions = 8,
  request_connection_id = 9,
  new_connection_id = 10,
  certificate = 11,
  server_key_exchange = 12,
  certificate_request = 13,
  server_hello_done = 14,
  certificate_verify = 15,
  client_key_exchange = 16,
  finished = 20,
  key_update = 24,
  message_hash = 254,
};

enum class ExtensionType : std::uint16_t {
  server_name = 0,
  max_fragment_length = 1,
  supported_groups = 10,
  ec_point_formats = 11,
  signature_algorithms = 13,
  use_srtp = 14,
  application_layer_protocol_negotiation = 16,
  client_certificate_type = 19,
  server_certificate_type = 20,
  encrypt_then_mac = 22,
  extended_master_secret = 23,
  record_size_limit = 28,
  session_ticket = 35,
  pre_shared_key = 41,
  supported_versions = 43,
  cookie = 44,
  psk_key_exchange_modes = 45,
  certificate_authorities = 47,
  signature_algorithms_cert = 50,
  key_share = 51,
  connection_id = 54,
  rrc = 61,  // RFC 9853
  renegotiation_info = 0xff01,
};

inline constexpr Epoch kPlaintextEpoch{0};
inline constexpr Epoch kFirstEncryptedEpoch12{1};
// RFC 9147 section 6.1. Epoch 1 is for early data, which this engine does not support.
inline constexpr Epoch kHandshakeEpoch13{2};
inline constexpr Epoch kFirstApplicationEpoch13{3};

// 48 bits on the wire (RFC 6347 section 4.1).
inline constexpr std::uint64_t kMaxSequenceNumber = (std::uint64_t{1} << 48) - 1;

// The number of a handshake message; each side counts its own (RFC 6347 section 4.2.2).
enum class MessageSeq : std::uint16_t {};

template <class Number>
constexpr auto value_of(Number number) {
  return static_cast<std::underlying_type_t<Number>>(number);
}

constexpr MessageSeq next(MessageSeq seq) { return MessageSeq(std::uint16_t(value_of(seq) + 1)); }

// The longest session ID, in bytes (RFC 5246 section 7.4.1.2).
inline constexpr std::size_t kMaxSessionId = 32;

// The largest number of certificates in a chain; chains in use are shorter. The message size bounds
// the bytes.
inline constexpr std::size_t kMaxChain = 16;

}  // namespace sluice::dtls::wire
