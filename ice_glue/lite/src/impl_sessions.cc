// Sessions: their beginning, restarts and end.
#include <algorithm>
#include <utility>

#include "impl.h"
#include "refusal.h"

namespace sluice::ice_lite {

dtls::Result<LocalCredentials> IceLiteServer::Impl::make_credentials(
    const std::optional<Credentials>& given, const std::string& remote_ufrag,
    IceGeneration generation) {
  const auto is_in_use = [&](const Credentials& credentials) {
    return sessions_.find_ufrag(keyed_, credentials.ufrag) != kNoSlot;
  };
  if (given) {
    if (is_in_use(*given)) {
      return tl::unexpected(refusal(dtls::Errc::invalid_argument, "local.ufrag: in use"));
    }
    return LocalCredentials::make(*environment_, *given, remote_ufrag, generation);
  }
  // With 48 random bits a second try is rare; an injected source of random numbers may repeat.
  constexpr int kTries = 8;
  for (int tries = 0; tries < kTries; ++tries) {
    const auto random = random_credentials(*environment_);
    if (!random) return tl::unexpected(random.error());
    if (is_in_use(*random)) continue;
    return LocalCredentials::make(*environment_, *random, remote_ufrag, generation);
  }
  return tl::unexpected(refusal(dtls::Errc::libcrypto_failure, "random ufrags repeat"));
}

dtls::Result<void> IceLiteServer::Impl::may_add(
    const transport::MediaTransportOptions& transport) const {
  if (sessions_.occupied() >= options_.max_sessions) {
    return tl::unexpected(refusal(dtls::Errc::too_many_connections, "max_sessions"));
  }
  if (transport.max_paths < options_.max_tuples_per_session) {
    return tl::unexpected(
        refusal(dtls::Errc::invalid_config, "max_paths: below max_tuples_per_session"));
  }
  return {};
}

dtls::Result<SessionHandle> IceLiteServer::Impl::add_session(const SessionOptions& options,
                                                             Instant now) {
  begin_turn(now);
  if (const auto may = may_add(options.transport); !may) return dtls::forward_error(may);
  auto credentials = make_credentials(options.local, options.remote_ufrag, 1);
  if (!credentials) return tl::unexpected(credentials.error());
  auto transport = transport::MediaTransport::make(options.transport, *environment_);
  if (!transport) return tl::unexpected(transport.error());
  const SlotNumber number = sessions_.add(keyed_, std::move(*transport), std::move(*credentials));
  Session& session = sessions_[number];
  session.rtt = options.rtt;
  if (options.dtls_in_stun) begin_in_stun(session, options.transport.dtls->options().mtu);
  if (options.role) settle(number, session.transport->start(*options.role, now));
  if (!options.peer_fingerprints.empty()) {
    settle(number, session.transport->set_peer_fingerprints(options.peer_fingerprints, now));
  }
  return sessions_.handle_of(number);
}

std::optional<Credentials> IceLiteServer::Impl::local_credentials(SessionHandle session) const {
  const SlotNumber number = sessions_.find(session);
  if (number == kNoSlot) return std::nullopt;
  return sessions_[number].newest().text();
}

dtls::Result<void> IceLiteServer::Impl::set_remote_ufrag(SessionHandle handle,
                                                         std::string_view ufrag, Instant now) {
  begin_turn(now);
  const SlotNumber number = sessions_.find(handle);
  if (number == kNoSlot) return tl::unexpected(refusal(dtls::Errc::closed));
  if (!is_valid_ufrag(ufrag)) {
    return tl::unexpected(refusal(dtls::Errc::invalid_argument, "ufrag"));
  }
  Session& session = sessions_[number];
  LocalCredentials& newest = session.newest();
  const bool was_known = !newest.remote_ufrag.empty();
  newest.remote_ufrag = ufrag;
  if (was_known) return {};
  const auto expected = static_cast<std::uint32_t>(keyed_(std::as_bytes(std::span(ufrag))));
  std::optional<dtls::UdpPath> lost;
  Instant checked{};
  SlotNumber next = kNoSlot;
  for (SlotNumber each = session.first_tuple; each != kNoSlot; each = next) {
    next = tuples_[each].next;
    if (tuples_[each].checks.generation != newest.generation) continue;
    if (!tuples_[each].is_remote_known || tuples_[each].remote == expected) continue;
    if (each == session.selected) {
      lost = tuples_.path_of(each);
      checked = tuples_[each].checked;
    }
    remove_tuple(each);
  }
  if (lost) replace_lost(number, *lost, checked, now);
  return {};
}

dtls::Result<void> IceLiteServer::Impl::set_cryptex(SessionHandle handle, srtp::Cryptex mode) {
  const SlotNumber number = sessions_.find(handle);
  if (number == kNoSlot) return tl::unexpected(refusal(dtls::Errc::closed));
  return sessions_[number].transport->set_cryptex(mode);
}

dtls::Result<void> IceLiteServer::Impl::set_rtt(SessionHandle handle, dtls::Duration rtt) {
  const SlotNumber number = sessions_.find(handle);
  if (number == kNoSlot) return tl::unexpected(refusal(dtls::Errc::closed));
  if (rtt < dtls::Duration::zero()) {
    return tl::unexpected(refusal(dtls::Errc::invalid_argument, "rtt"));
  }
  Session& session = sessions_[number];
  session.rtt = rtt;
  if (session.transport) session.transport->set_path_rtt(rtt);
  return {};
}

dtls::Result<Credentials> IceLiteServer::Impl::restart_ice(SessionHandle handle,
                                                           const IceRestart& restart, Instant now) {
  begin_turn(now);
  const SlotNumber number = sessions_.find(handle);
  if (number == kNoSlot) return tl::unexpected(refusal(dtls::Errc::closed));
  Session& session = sessions_[number];
  const IceGeneration generation = session.newest_generation + 1;
  auto newer = make_credentials(restart.local, restart.remote_ufrag, generation);
  if (!newer) return tl::unexpected(newer.error());
  Credentials text = newer->text();
  sessions_.begin_restart(keyed_, number, std::move(*newer));
  if (restart.dtls) {
    session.least_generation = generation;
    session.is_rtt_settled = false;
    if (session.in_stun) session.in_stun->forget_sent();
    settle(number,
           session.transport->restart(restart.dtls->role, restart.dtls->peer_fingerprints, now));
  }
  return text;
}

dtls::Result<Pending> IceLiteServer::Impl::close(SessionHandle handle, Instant now) {
  begin_turn(now);
  const SlotNumber number = sessions_.find(handle);
  if (number == kNoSlot) return tl::unexpected(refusal(dtls::Errc::closed));
  static_cast<void>(sessions_[number].transport->close(now));
  end(number, EndReason::closed);
  return end_turn();
}

Pending IceLiteServer::Impl::close_all(Instant now) {
  begin_turn(now);
  for (SlotNumber number = 0; number < sessions_.limit(); ++number) {
    Session& session = sessions_[number];
    if (!session.transport || session.has_ended) continue;
    static_cast<void>(session.transport->close(now));
    end(number, EndReason::closed);
  }
  return end_turn();
}

void IceLiteServer::Impl::remove(SessionHandle handle) {
  const SlotNumber number = sessions_.find(handle);
  if (number == kNoSlot) return;
  // Early media stands in memory of the transport.
  media_.erase_if([handle](const Media& media) { return media.session == handle; });
  sessions_.end(keyed_, number);
  release(number);
}

transport::MediaTransport* IceLiteServer::Impl::begin_input(SessionHandle handle) {
  const SlotNumber number = sessions_.find(handle);
  if (number == kNoSlot) return nullptr;
  begin_turn(latest_);
  return &*sessions_[number].transport;
}

dtls::Result<Pending> IceLiteServer::Impl::end_input(
    SessionHandle handle, const dtls::Result<transport::TransportPending>& outcome) {
  const SlotNumber number = sessions_.find(handle);
  if (number != kNoSlot) settle(number, outcome);
  if (!outcome) return tl::unexpected(outcome.error());
  return end_turn();
}

// ---- the end

void IceLiteServer::Impl::end(SlotNumber number, EndReason reason,
                              std::optional<dtls::Error> error) {
  Session& session = sessions_[number];
  if (session.has_ended) return;
  sessions_.end(keyed_, number);
  session.to_tell().ended = Ended{
      .reason = reason, .error = std::move(error), .statistics = session.transport->statistics()};
  timers_.set(number, std::nullopt);
  queue(Output::transmit, number);
  queue(Output::event, number);
}

void IceLiteServer::Impl::release_if_done(SlotNumber number) {
  const Session& session = sessions_[number];
  const auto& queued = session.is_queued;
  const bool is_done =
      session.has_ended && std::ranges::none_of(queued, [](bool is) { return is; });
  if (is_done) release(number);
}

void IceLiteServer::Impl::release(SlotNumber number) {
  while (sessions_[number].first_tuple != kNoSlot) remove_tuple(sessions_[number].first_tuple);
  timers_.set(number, std::nullopt);
  sessions_.release(number);
  // It may be that of the session.
  stun::forget_integrity_key(*environment_);
}

}  // namespace sluice::ice_lite
