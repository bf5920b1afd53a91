#include "sfu/signalling/ice_session.h"

#include <algorithm>
#include <utility>

#include <sluice/dtls/error.h>

#include "common/sdp/sdp_fragment.h"

namespace sluice::interop::sfu {
namespace {

tl::unexpected<IceRefused> refuse_update(IceRefusal why, std::string sentence) {
  return tl::unexpected(IceRefused{.why = why, .sentence = std::move(sentence)});
}

}  // namespace

AgentOptions agent_options(const Offer& offer) {
  return {.ice_lite = true, .dtls_in_stun = offer.dtls_in_stun, .takes_trickle = true};
}

IceSession::IceSession(const Offer& offer)
    : remote_(offer.transport.ice),
      head_(write_fragment(begin_fragment(offer, agent_options(offer)))) {}

IceSession::IceSession(State state, dtls::Instant now)
    : remote_(std::move(state.remote)), head_(std::move(state.head)) {
  if (state.since_restart) restarted_at_ = now - *state.since_restart;
}

IceSession::State IceSession::state(dtls::Instant now) const {
  State state{.remote = remote_, .head = head_};
  if (restarted_at_) state.since_restart = now - *restarted_at_;
  return state;
}

IceResult IceSession::update(const IceUpdate& update, ice_lite::SessionHandle session,
                             ice_lite::IceLiteServer& server,
                             std::span<const ice_lite::AnnouncedAddress> announced,
                             dtls::Instant now) {
  const auto present = server.local_credentials(session);
  if (!present) return refuse_update(IceRefusal::no_session, "There is no such session.");
  if (update.only && std::ranges::find(*update.only, present->ufrag) == update.only->end()) {
    return refuse_update(IceRefusal::other_ice_session,
                         "If-Match is not the entity tag of the present ICE session.");
  }
  const auto answer = [&](const ice_lite::Credentials& local) {
    return IceRestarted{.fragment = head_ + ice_lite::media_lines(local, announced),
                        .ice_session = local.ufrag};
  };
  if (update.ice == remote_) {
    // A restart whose answer was lost comes again, without a name of the ICE session.
    if (!update.only && restarted_at_) return answer(*present);
    return std::nullopt;
  }
  // RFC 8839 section 4.4.1.1.1.
  if (update.ice.ufrag == remote_.ufrag || update.ice.pwd == remote_.pwd) {
    return refuse_update(IceRefusal::credentials,
                         "An ICE restart changes a=ice-ufrag and a=ice-pwd, not one of them.");
  }
  if (restarted_at_ && now - *restarted_at_ < kIceRestartInterval) {
    return refuse_update(
        IceRefusal::too_soon,
        "ICE was restarted less than " + std::to_string(kIceRestartInterval.count()) + " ms ago.");
  }
  const auto fresh = server.restart_ice(session, {.remote_ufrag = update.ice.ufrag}, now);
  if (!fresh && fresh.error().code == dtls::Errc::invalid_config) {
    return refuse_update(IceRefusal::credentials, "a=ice-ufrag has other characters than ICE's.");
  }
  if (!fresh) {
    return refuse_update(IceRefusal::failed,
                         "ICE can't be restarted: " + dtls::to_string(fresh.error()) + ".");
  }
  remote_ = update.ice;
  restarted_at_ = now;
  return answer(*fresh);
}

}  // namespace sluice::interop::sfu
