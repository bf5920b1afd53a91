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

std::string_view timeout_detail(WaitingFor what) {
  switch (what) {
    case WaitingFor::nothing:
      break;
    case WaitingFor::client_hello:
    case WaitingFor::peer_message:
      return "waited for a message of the peer";
    case WaitingFor::config:
      return "waited for the answer to ConfigRequested";
    case WaitingFor::psk:
      return "waited for the answer to PskRequested";
    case WaitingFor::session:
      return "waited for the answer to SessionRequested";
    case WaitingFor::identity:
      return "waited for the answer to IdentityRequested";
    case WaitingFor::signature:
      return "waited for the answer to SignatureRequested";
    case WaitingFor::peer_acceptance:
      return "waited for set_peer_fingerprints() or the answer to PeerCertificateReceived";
    case WaitingFor::connection_acceptance:
      return "waited for the answer to ConnectionToVerify";
  }
  return {};
}

}  // namespace connection
}  // namespace sluice::dtls
