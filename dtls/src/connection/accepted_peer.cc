#include "connection/accepted_peer.h"

#include <algorithm>

namespace sluice::dtls::connection {

Result<AcceptedPeer> AcceptedPeer::make(handshake::PeerIdentity identity,
                                        crypto::Library& library) {
  if (auto kept = identity.keep_fingerprint_only(library); !kept) return forward_error(kept);
  const Instant valid_until = identity.valid_until;
  return of({.info = std::move(identity).info(), .valid_until = valid_until});
}

AcceptedPeer AcceptedPeer::of(Facts facts) {
  const PeerInfo& info = facts.info;
  AcceptedPeer peer;
  if (info.credential == PeerCredential::none) return peer;
  peer.authenticated_at_ = info.authenticated_at;
  peer.credential_ = info.credential;
  peer.signature_scheme_ = info.signature_scheme.value_or(SignatureScheme{});
  peer.is_verified_ = info.verified_name.has_value();
  peer.set_proof(peer.has_fingerprint() ? info.certificate_fingerprint : info.psk_identity);
  if (info.verified_name && !info.verified_name->empty()) {
    peer.edit_far().verified_name = *info.verified_name;
  }
  if (facts.match) peer.edit_far().match = std::move(facts.match);
  if (facts.valid_until != Instant::max()) peer.edit_far().valid_until = facts.valid_until;
  return peer;
}

AcceptedPeer::Facts AcceptedPeer::facts() const {
  Facts facts{.info = info()};
  if (const Far* all = far()) {
    facts.match = all->match;
    facts.valid_until = all->valid_until;
  }
  return facts;
}

void AcceptedPeer::set_proof(Bytes proof) {
  if (proof.size() > std::tuple_size_v<Near>) {
    edit_far().proof.assign(proof.begin(), proof.end());
    return;
  }
  std::ranges::copy(proof, std::get<Near>(stored_).begin());
  near_size_ = static_cast<std::uint8_t>(proof.size());
}

Bytes AcceptedPeer::proof() const {
  if (const Far* all = far()) return all->proof;
  return Bytes(std::get<Near>(stored_)).first(near_size_);
}

const AcceptedPeer::Far* AcceptedPeer::far() const {
  const auto* all = std::get_if<std::unique_ptr<Far>>(&stored_);
  return all != nullptr ? all->get() : nullptr;
}

AcceptedPeer::Far& AcceptedPeer::edit_far() {
  if (far() == nullptr) {
    const Bytes near = proof();
    stored_ = std::make_unique<Far>(Far{.proof = Buffer(near.begin(), near.end())});
  }
  return *std::get<std::unique_ptr<Far>>(stored_);
}

void AcceptedPeer::keep(const Fingerprint& match) {
  if (match.hash != HashAlgorithm::sha256) edit_far().match = match;
}

bool AcceptedPeer::matches(std::span<const Fingerprint> announced) const {
  if (!has_fingerprint() || announced.empty()) return false;
  const auto kept = [&](HashAlgorithm hash) -> Bytes {
    if (hash == HashAlgorithm::sha256) return proof();
    const auto* match = far() != nullptr && far()->match ? &*far()->match : nullptr;
    return match != nullptr && match->hash == hash ? Bytes(match->value) : Bytes();
  };
  // Of other hashes the certificate's value is not known any more.
  std::optional<HashAlgorithm> strongest;
  for (const Fingerprint& expected : announced) {
    if (kept(expected.hash).empty()) continue;
    strongest = std::max(expected.hash, strongest.value_or(expected.hash));
  }
  return strongest && std::ranges::any_of(announced, [&](const Fingerprint& expected) {
           return expected.hash == *strongest &&
                  std::ranges::equal(expected.value, kept(*strongest));
         });
}

PeerInfo AcceptedPeer::info() const {
  PeerInfo info{.credential = credential_, .authenticated_at = authenticated_at_};
  if (credential_ != PeerCredential::none) {
    auto& proven =
        credential_ == PeerCredential::psk ? info.psk_identity : info.certificate_fingerprint;
    proven.assign(proof().begin(), proof().end());
  }
  if (signature_scheme_ != SignatureScheme{}) info.signature_scheme = signature_scheme_;
  if (is_verified_) info.verified_name = far() != nullptr ? far()->verified_name : std::string();
  return info;
}

}  // namespace sluice::dtls::connection
