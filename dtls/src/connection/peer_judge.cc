#include "connection/peer_judge.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "crypto/trust_anchors.h"
#include "negotiation/config_rules.h"
#include "negotiation/peer_certificate.h"

namespace sluice::dtls::connection {
namespace {

// The name that the peer's certificate must be valid for; empty: any.
std::string name_to_verify(const ConfigOptions& config, Role role) {
  return role == Role::client ? handshake::expected_name(config) : std::string();
}

}  // namespace

Result<std::optional<Event>> judge_chain(PeerGate& gate, handshake::Context& context, Role role) {
  if (context.peer.chain.empty()) return std::nullopt;
  const ConfigOptions& config = context.config;
  auto chain = std::exchange(context.peer.chain, {});
  const bool is_raw = context.peer.identity.has_raw_public_key();
  // No trust store verifies a raw public key (RFC 7250 section 4.3).
  if (handshake::verifies_chain(config) && !is_raw) {
    // The chain of a resumed session was verified when the session began.
    if (!context.peer.identity.verified_name) {
      const std::string name = name_to_verify(config, role);
      const auto verified = config.trust_store->anchors().verify(
          context.library, chain,
          {handshake::other(role), name, handshake::certificate_schemes(config)});
      if (!verified) return forward_error(verified);
      context.peer.identity.verified_name = name;
      // Further than any clock of a caller goes; keeps the conversion to microseconds in range.
      constexpr std::chrono::seconds kLongest = std::chrono::hours{24 * 365 * 1000};
      context.peer.identity.valid_until =
          saturating_add(context.now, std::min(*verified, kLongest));
    }
    if (!config.ask_about_verified_peer && !gate.has_fingerprints()) {
      gate.accept(std::move(chain.front()));
      return std::nullopt;
    }
  }
  auto& identity = context.peer.identity;
  auto question = gate.on_chain(std::move(chain), identity.certificate_hash, context.library);
  if (!question) return forward_error(question);
  identity.keep_hash(gate.match());
  if (!*question) return std::nullopt;
  if (is_raw) (*question)->type = CertificateType::raw_public_key;
  return Event(std::move(**question));
}

}  // namespace sluice::dtls::connection
