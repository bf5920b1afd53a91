#include "connection/waiting.h"

namespace sluice::dtls {

std::string_view to_string(WaitingFor what) {
  switch (what) {
    case WaitingFor::nothing:
      return "nothing";
    case WaitingFor::client_hello:
      return "client_hello";
    case WaitingFor::peer_message:
      return "peer_message";
    case WaitingFor::config:
      return "config";
    case WaitingFor::psk:
      return "psk";
    case WaitingFor::session:
      return "session";
    case WaitingFor::identity:
      return "identity";
    case WaitingFor::signature:
      return "signature";
    case WaitingFor::peer_acceptance:
      return "peer_acceptance";
    case WaitingFor::connection_acceptance:
      return "connection_acceptance";
  }
  return "unknown";
}

namespace connection {

std::string_view unanswered_detail(WaitingFor what) {
  switch (what) {
    case WaitingFor::nothing:
    case WaitingFor::client_hello:
    case WaitingFor::peer_message:
      break;
    case WaitingFor::config:
      return "the application has not answered a question: ConfigRequested";
    case WaitingFor::psk:
      return "the application has not answered a question: PskRequested";
    case WaitingFor::session:
      return "the application has not answered a question: SessionRequested";
    case WaitingFor::identity:
      return "the application has not answered a question: IdentityRequested";
    case WaitingFor::signature:
      return "the application has not answered a question: SignatureRequested";
    case WaitingFor::peer_acceptance:
      return "the application has not accepted the peer: neither by set_peer_fingerprints() nor by "
             "an answer to PeerCertificateReceived";
    case WaitingFor::connection_acceptance:
      return "the application has not answered a question: ConnectionToVerify";
  }
  return {};
}

}  // namespace connection
}  // namespace sluice::dtls
