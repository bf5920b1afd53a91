#include "connection/live_restore.h"

#include <algorithm>

#include "negotiation/config_rules.h"
#include "negotiation/connection_ids.h"
#include "negotiation/fatal.h"
#include "negotiation/role_check.h"
#include "negotiation/stored_session.h"

namespace sluice::dtls::connection {

using handshake::PeerIdentity;
using handshake::PeerProof;

namespace {

tl::unexpected<Error> refused(const char* detail) {
  return tl::unexpected(Error{Errc::session_refused, {}, 0, detail});
}

PeerProof proof_of(PeerCredential credential, bool is_fingerprint) {
  switch (credential) {
    case PeerCredential::none:
      break;
    case PeerCredential::certificate:
      return is_fingerprint ? PeerProof::certificate_fingerprint : PeerProof::certificate;
    case PeerCredential::psk:
      return PeerProof::external_psk;
    case PeerCredential::raw_public_key:
      return is_fingerprint ? PeerProof::raw_public_key_fingerprint : PeerProof::raw_public_key;
  }
  return PeerProof::none;
}

// The peer's identity as the first handshake established it; of a certificate without `certificate`
// only the fingerprint.
PeerIdentity identity_of(const LiveSession& session, const Buffer& certificate = {}) {
  const auto& [info, psk, match, valid_until] = session.peer;
  PeerIdentity identity{.proof = proof_of(info.credential, certificate.empty()),
                        .psk = psk.value_or(handshake::PskDigest{})};
  if (info.credential == PeerCredential::psk) {
    identity.credential = info.psk_identity;
  } else {
    identity.credential = certificate.empty() ? info.certificate_fingerprint : certificate;
  }
  identity.verified_name = info.verified_name;
  identity.signature_scheme = info.signature_scheme.value_or(SignatureScheme{});
  identity.policy = session.policy;
  identity.authenticated_at = info.authenticated_at;
  identity.valid_until = valid_until;
  return identity;
}

// Whether a handshake with this Config could have led to the session.
Result<void> check_negotiated(const LiveSession& session, const ConfigOptions& config) {
  if (!handshake::is_allowed(config, session.version())) return refused("version: not allowed");
  if (!handshake::is_suite_offered(config, session.cipher_suite)) {
    return refused("cipher_suites: the session's is not among them");
  }
  const auto* session12 = std::get_if<LiveSession12>(&session.of_version);
  if (session12 != nullptr && !session12->extended_master_secret &&
      config.extended_master_secret == ExtendedMasterSecret::require) {
    return refused("extended_master_secret: the session has none");
  }
  if (session.speaks13() && !session.group &&
      !handshake::has_mode(config, PskKeyExchangeMode::psk_ke)) {
    return refused("psk_key_exchange_modes: without psk_ke");
  }
  // A server accepts any length.
  const auto length = session.extensions.max_fragment_length;
  if (session.role == Role::client && length != message::MaxFragmentLength::none &&
      length != handshake::offered_max_fragment_length(config)) {
    return refused("max_fragment_length: the session has another");
  }
  const auto& profile = session.extensions.srtp_profile;
  const auto& profiles = config.srtp_profiles;
  if (profile && std::ranges::find(profiles, *profile) == profiles.end()) {
    return refused("srtp_profiles: the session's is not among them");
  }
  const auto& ids = session.connection_ids;
  const std::size_t own_size = ids && !ids->own.empty() ? ids->own.front().size() : 0;
  if (ids && config.connection_id_size != own_size) {
    return refused("connection_id_size: the session's has another");
  }
  if (session.extensions.return_routability &&
      handshake::return_routability(config) == ReturnRoutability::none) {
    return refused("return_routability: none, but the session has it");
  }
  return {};
}

Result<void> check_peer(const LiveSession& session, const ConfigOptions& config,
                        crypto::Library& library, Instant now) {
  const auto policy = handshake::policy_of(library, config, session.role);
  if (!policy) return forward_error(policy);
  if (session.policy != *policy) return refused("policy_id: the session has another policy");
  const PeerIdentity identity = identity_of(session);
  if (!handshake::is_still_accepted(identity, session.role, config, library)) {
    return refused("the peer is not accepted any more");
  }
  if (now >= identity.valid_until) return refused("the peer's certificates have expired");
  return {};
}

Established12 restored12(const Shared& shared, LiveSession& session, LiveSession12& session12,
                         Instant now) {
  const ConfigOptions& config = shared.config;
  record::RecordLayer& records = shared.records;
  const auto suite = *handshake::find_suite12(config, session.cipher_suite);
  records.restore(ProtocolVersion::dtls12, session.read, session.write,
                  handshake::record_room12(suite), record::key_limits12(config));
  Established12 complete{{{std::move(session.extensions), suite, session12.randoms,
                           session12.extended_master_secret, session12.resumed},
                          std::move(session12.master),
                          session.group},
                         {},
                         AcceptedPeer::of(std::move(session.peer)),
                         session12.peers_next};
  if (session12.last_flight) {
    const auto& [next_plaintext, messages] = *session12.last_flight;
    records.start_plaintext_at(wire::SequenceNumber{next_plaintext});
    Buffer all;
    for (const Buffer& message : messages) all.insert(all.end(), message.begin(), message.end());
    complete.post_handshake.keep_last_flight(
        last_flight_again(all, config.timers, config.timers.initial), now);
    complete.post_handshake.release_unused();
  }
  return complete;
}

Result<Established13> restored13(const Shared& shared, LiveSession& session,
                                 LiveSession13& session13, ConnectionIdSource* ids, Instant now) {
  const ConfigOptions& config = shared.config;
  record::RecordLayer& records = shared.records;
  const auto* suite = schedule::find13(session.cipher_suite);
  handshake::Negotiated13 negotiated{suite, std::move(session.extensions), session.group,
                                     session13.psk};
  const record::KeyLimits limits = handshake::key_limits13(config, negotiated);
  if (session13.old_keys) {
    auto opener = handshake::make_opener13(shared.library, negotiated, session13.old_keys->secret);
    if (!opener) return forward_error(opener);
    records.restore_old(session13.old_keys->numbers, std::move(*opener), limits);
  }
  records.restore(ProtocolVersion::dtls13, session.read, session.write,
                  record::room13(crypto::tag_size(suite->aead)), limits);
  std::unique_ptr<handshake::Resumption13> resumption;
  if (session13.resumption) {
    auto& [secret, certificate] = *session13.resumption;
    resumption = std::make_unique<handshake::Resumption13>(
        handshake::Resumption13{std::move(secret), identity_of(session, certificate)});
  }
  const schedule::DirectionSecrets traffic{std::move(session13.client_secret),
                                           std::move(session13.server_secret)};
  Established13 complete{{std::move(negotiated), std::move(resumption),
                          handshake::SessionSecrets(traffic, session13.exporter)},
                         {},
                         nullptr,
                         AcceptedPeer::of(std::move(session.peer))};
  const bool is_used_up = session13.peers_next == LiveSession13::kUsedUp;
  complete.quiet = {session13.next, wire::MessageSeq(session13.peers_next & 0xffff),
                    session13.awaits_ids};
  complete.quiet.set_initial_timeout(config.timers.initial);
  if (session13.old_keys || session13.under_way || is_used_up) {
    complete.post_handshake = std::make_unique<PostHandshake13>(shared, complete.quiet, ids);
    PostHandshake13& messages = *complete.post_handshake;
    if (session13.old_keys) messages.restore_old_keys(std::move(session13.old_keys->secret), now);
    if (is_used_up) messages.restore_used_up();
    if (session13.under_way) {
      auto again = messages.restore(*session13.under_way, now);
      if (!again) return forward_error(again);
    }
  }
  return complete;
}

}  // namespace

Result<void> check_restorable(const LiveSession& session, const ConfigOptions& config,
                              crypto::Library& library, const ConnectionIdSource* ids,
                              Instant now) {
  auto fits = handshake::check_role(config, library, session.role);
  if (fits) fits = handshake::check_source(config, ids);
  if (fits) fits = check_negotiated(session, config);
  return fits ? check_peer(session, config, library, now) : fits;
}

Result<Phase> restored_phase(const Shared& shared, LiveSession session, ConnectionIdSource* ids,
                             Instant now) {
  shared.records.set_content_limits(
      handshake::content_limits(session.version(), session.extensions));
  if (session.connection_ids) {
    const auto& [own, in_use, peers] = *session.connection_ids;
    shared.records.connection_ids().restore({own.begin(), own.end()}, in_use,
                                            {peers.begin(), peers.end()});
  }
  if (session.send_limit) shared.records.limit_sending(*session.send_limit);
  if (auto* session12 = std::get_if<LiveSession12>(&session.of_version)) {
    return Phase(restored12(shared, session, *session12, now));
  }
  return restored13(shared, session, std::get<LiveSession13>(session.of_version), ids, now)
      .map([](Established13 complete) { return Phase(std::move(complete)); });
}

}  // namespace sluice::dtls::connection
