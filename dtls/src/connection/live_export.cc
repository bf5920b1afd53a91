#include "connection/live_export.h"

namespace sluice::dtls::connection {
namespace {

// What PostHandshake12 keeps.
std::optional<LiveSession12::LastFlight> last_flight_of(const PostHandshake12& post_handshake,
                                                        std::uint64_t next_plaintext) {
  if (!post_handshake.has_last_flight()) return std::nullopt;
  LiveSession12::LastFlight last{next_plaintext, {}};
  post_handshake.for_each_message(
      [&](Bytes message) { last.messages.emplace_back(message.begin(), message.end()); });
  return last;
}

LiveSession12 live_session12(const Established12& complete, std::uint64_t next_plaintext) {
  const auto& negotiated = complete.session.negotiated;
  LiveSession12 live;
  live.extended_master_secret = negotiated.extended_master_secret;
  live.resumed = negotiated.resumed;
  live.randoms = negotiated.randoms;
  live.master = complete.session.master.clone();
  live.peers_next = complete.peers_next;
  live.last_flight = last_flight_of(complete.post_handshake, next_plaintext);
  return live;
}

// What a client makes sessions of, unless that needs a certificate that is not to move.
std::optional<LiveSession13::Resumption> resumption_of(const handshake::Session13& session,
                                                       bool with_certificates) {
  if (session.resumption == nullptr) return std::nullopt;
  const auto& [secret, peer] = *session.resumption;
  const bool has_certificate = peer.has_certificate() || peer.has_raw_public_key();
  if (has_certificate && !with_certificates) return std::nullopt;
  return LiveSession13::Resumption{secret.clone(), has_certificate ? peer.credential : Buffer{}};
}

LiveSession13 live_session13(const Established13& complete,
                             const record::HandshakeProgress& progress, bool with_certificates) {
  const handshake::Session13& session = complete.session;
  LiveSession13 live;
  live.psk = session.negotiated.psk;
  live.client_secret = session.secrets.traffic(Role::client);
  live.server_secret = session.secrets.traffic(Role::server);
  live.exporter = session.secrets.exporter();
  live.next = progress.next;
  live.peers_next = progress.peers_next;
  live.awaits_ids = complete.quiet.awaits_ids;
  if (const auto* messages = complete.post_handshake.get()) {
    live.awaits_ids = messages->awaits_ids();
    live.under_way = messages->messages_under_way();
  }
  live.resumption = resumption_of(session, with_certificates);
  return live;
}

std::vector<Buffer> copies_of(const record::ConnectionIds::List& ids) {
  std::vector<Buffer> copies;
  for (const Bytes id : ids) copies.emplace_back(id.begin(), id.end());
  return copies;
}

// Two empty ones have no effect.
std::optional<LiveConnectionIds> live_ids(const record::ConnectionIds& ids) {
  if (ids.own().empty() && ids.peers().empty()) return std::nullopt;
  return LiveConnectionIds{copies_of(ids.own_list()), static_cast<std::uint8_t>(ids.in_use()),
                           copies_of(ids.peers_list())};
}

record::KeyLimits limits_of(Phase& phase, const ConfigOptions& config) {
  const auto* complete = established13(phase);
  return complete != nullptr ? handshake::key_limits13(config, complete->session.negotiated)
                             : record::key_limits12(config);
}

}  // namespace

Result<LiveSession> live_session_of(const Shared& shared, Phase& phase,
                                    const ExportOptions& options) {
  if (options.tag.size() > kMaxSessionTag) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "tag: longer than kMaxSessionTag"});
  }
  const auto policy = handshake::policy_of(shared.library, shared.config, shared.role);
  if (!policy) return forward_error(policy);
  const record::RecordLayer& records = shared.records;
  auto numbers = records.read_numbers(limits_of(phase, shared.config));
  LiveSession live{.role = shared.role,
                   .cipher_suite = connection::info_of(phase, shared.role, records)->cipher_suite,
                   .tag = Buffer(options.tag.begin(), options.tag.end()),
                   .connection_ids = live_ids(records.connection_ids()),
                   .policy = *policy,
                   .read = std::move(numbers.front()),
                   .write = records.write_numbers()};
  if (const auto* limit = records.send_limit()) live.send_limit = limit->limit();
  if (const auto* peer = peer_of(phase)) live.peer = peer->facts();
  if (live.peer.info.credential == PeerCredential::psk) {
    auto psk =
        handshake::known_psk_digest(shared.library, shared.config, live.peer.info.psk_identity);
    if (!psk) return forward_error(psk);
    live.peer.psk = *psk;
  }
  if (const auto* complete = established12(phase)) {
    live.group = complete->session.group;
    live.extensions = complete->session.negotiated.extensions;
    live.of_version = live_session12(*complete, records.next_plaintext());
    return live;
  }
  const auto& complete = *established13(phase);
  live.group = complete.session.negotiated.group;
  live.extensions = complete.session.negotiated.extensions;
  LiveSession13 session13 =
      live_session13(complete, handshake_progress(phase, records), options.with_certificates);
  const auto* messages = complete.post_handshake.get();
  if (numbers.size() > 1 && messages != nullptr && !messages->old_read_secret().empty()) {
    session13.old_keys = {messages->old_read_secret().clone(), std::move(numbers[1])};
  }
  live.of_version = std::move(session13);
  return live;
}

record::HandshakeProgress handshake_progress(const Phase& phase,
                                             const record::RecordLayer& records) {
  record::HandshakeProgress progress{.read = records.read_epoch()};
  const auto* complete = std::get_if<Established13>(&phase);
  if (complete == nullptr) return progress;
  const PostHandshake13* messages = complete->post_handshake.get();
  progress.next = messages != nullptr ? messages->next_seq() : complete->quiet.next;
  progress.peers_next =
      messages != nullptr ? messages->peers_next() : wire::value_of(complete->quiet.peers_next);
  return progress;
}

}  // namespace sluice::dtls::connection
