#include "connection/accepted_peer.h"

#include <algorithm>

#include "crypto/fingerprint.h"

namespace sluice::dtls::connection {

Result<std::unique_ptr<AcceptedPeer>> AcceptedPeer::make(handshake::PeerIdentity identity,
                                                         crypto::Library& library) {
  if (auto kept = identity.keep_fingerprint_only(library); !kept) return forward_error(kept);
  PeerInfo info = identity.info();
  if (info.credential == PeerCredential::none) return nullptr;
  std::unique_ptr<AcceptedPeer> peer(new AcceptedPeer);
  peer->authenticated_at_ = info.authenticated_at;
  peer->signature_scheme_ = info.signature_scheme.value_or(SignatureScheme{});
  peer->credential_ = info.credential;
  std::ranges::copy(info.certificate_fingerprint, peer->sha256_.begin());
  if (!info.psk_identity.empty()) peer->rest_.edit().psk_identity = std::move(info.psk_identity);
  if (info.verified_name) peer->rest_.edit().verified_name = std::move(info.verified_name);
  return peer;
}

void AcceptedPeer::keep(const std::optional<Fingerprint>& match) {
  if (match && match->hash != HashAlgorithm::sha256) rest_.edit().match = match;
}

bool AcceptedPeer::matches(std::span<const Fingerprint> announced) const {
  if (credential_ != PeerCredential::certificate || announced.empty()) return false;
  const HashAlgorithm strongest = crypto::strongest_hash(announced);
  return std::ranges::any_of(announced, [&](const Fingerprint& expected) {
    if (expected.hash != strongest) return false;
    if (strongest == HashAlgorithm::sha256) return std::ranges::equal(expected.value, sha256_);
    return expected == rest_->match;
  });
}

PeerInfo AcceptedPeer::info() const {
  PeerInfo info{.credential = credential_, .authenticated_at = authenticated_at_};
  if (credential_ == PeerCredential::certificate) {
    info.certificate_fingerprint.assign(sha256_.begin(), sha256_.end());
  }
  if (signature_scheme_ != SignatureScheme{}) info.signature_scheme = signature_scheme_;
  info.verified_name = rest_->verified_name;
  info.psk_identity = rest_->psk_identity;
  return info;
}

}  // namespace sluice::dtls::connection
