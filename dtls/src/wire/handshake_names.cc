#include "wire/handshake_names.h"

namespace sluice::dtls::wire {

std::string_view name_of(HandshakeType type) {
  // clang-format off
  switch (type) {
    case HandshakeType::hello_request: return "HelloRequest";
    case HandshakeType::client_hello: return "ClientHello";
    case HandshakeType::server_hello: return "ServerHello";
    case HandshakeType::hello_verify_request: return "HelloVerifyRequest";
    case HandshakeType::new_session_ticket: return "NewSessionTicket";
    case HandshakeType::encrypted_extensions: return "EncryptedExtensions";
    case HandshakeType::request_connection_id: return "RequestConnectionId";
    case HandshakeType::new_connection_id: return "NewConnectionId";
    case HandshakeType::certificate: return "Certificate";
    case HandshakeType::server_key_exchange: return "ServerKeyExchange";
    case HandshakeType::certificate_request: return "CertificateRequest";
    case HandshakeType::server_hello_done: return "ServerHelloDone";
    case HandshakeType::certificate_verify: return "CertificateVerify";
    case HandshakeType::client_key_exchange: return "ClientKeyExchange";
    case HandshakeType::finished: return "Finished";
    case HandshakeType::key_update: return "KeyUpdate";
    case HandshakeType::message_hash: return "message_hash";
  }
  // clang-format on
  return "unknown message";
}

}  // namespace sluice::dtls::wire
