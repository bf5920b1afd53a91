// How viewers come: by their offer, or by their answer to a counter-offer of the server.
#include <algorithm>
#include <utility>

#include "common/random_numbers.h"
#include "common/sdp/data_section.h"
#include "sfu/sfu.h"
#include "sfu/signalling/counter_offer.h"
#include "sfu/signalling/negotiation.h"

namespace sluice::interop::sfu {
namespace {

constexpr const char* kNobodyPublishes = "Nobody publishes in this room.";
constexpr const char* kNoCommonCodec =
    "The SDP has none of the codecs that are published in this room.";

}  // namespace

Room* Sfu::room_to_watch(const std::string& room, dtls::Instant now) {
  if (mirrors_) follow(now);
  const auto found = rooms_.find(room);
  return found == rooms_.end() || found->second->publishers() == 0 ? nullptr : found->second.get();
}

void Sfu::add_viewer(Session& session, std::unique_ptr<Viewer> viewer, dtls::Instant now) {
  session.viewer = std::move(viewer);
  if (!session.viewer->is_bound()) session.admission.watch();
  session.room->add(*session.viewer, port_, now);
  ++counters_.viewers;
}

CreateResult Sfu::watch(const std::string& room_name, const Offer& offer,
                        const ViewAgreement& agreement, const std::string& address,
                        dtls::Instant now, bool looks_elsewhere) {
  const auto refuse_visit = [&](Refused refused) -> CreateResult {
    if (looks_elsewhere && refused.why == Refusal::no_publisher) {
      return tl::unexpected(std::move(refused));
    }
    return refuse(std::move(refused));
  };
  const Visit visit{.id = common::random_id(), .room = room_name, .address = address};
  auto admission = directory_.admit(worker_, visit);
  if (!admission) return refuse_visit(admission.error());
  Room* const place = room_to_watch(room_name, now);
  if (place == nullptr) {
    return refuse_visit({.why = Refusal::no_publisher, .sentence = kNobodyPublishes});
  }
  const auto refuse_offer = [&](Refusal why, std::string sentence) {
    return counter(visit, *std::move(admission), offer,
                   {.why = why, .sentence = std::move(sentence)}, now);
  };
  if (!agreement) return refuse_offer(Refusal::offer, agreement.error().sentence);
  auto streams = make_streams(agreement->parts);
  if (!streams) return refuse_offer(Refusal::offer, streams.error());
  const auto handle = add_session(offer, streams->size(), now);
  if (!handle) return refuse(handle.error());
  auto viewer = std::make_unique<Viewer>(*handle, *std::move(streams), now);
  if (!place->has_media_for(*viewer)) {
    port_.server.remove(*handle);
    return refuse_offer(Refusal::no_common_codec, kNoCommonCodec);
  }
  add_viewer(begin(*handle, visit, *std::move(admission), *place, now), std::move(viewer), now);
  return created(*handle, offer, agreement->answer, now);
}

CreateResult Sfu::counter(const Visit& visit, Admission admission, const Offer& offer,
                          const Refused& refused, dtls::Instant now) {
  auto result = refuse(refused);
  if (offer.ice_lite) return result;  // no answer of it could be taken either
  const auto published = rooms_.at(visit.room)->formats();
  const CounterOffer own(published, data_section(offer) != nullptr, random_ssrc);
  ice_lite::SessionOptions session;
  session.transport = transport_options(published.size());
  const auto handle = port_.server.add_session(session, now);
  if (!handle) return result;
  const auto transport = own_transport(*handle, Setup::actpass);
  admission.add_ufrag(transport.ice.ufrag);
  offers_.emplace(visit.id, OpenOffer{.session = *handle,
                                      .visit = visit,
                                      .admission = std::move(admission),
                                      .offer = own,
                                      .until = now + kCounterOfferLife});
  ++counters_.counter_offers;
  result.error().counter_offer = OfferMade{.id = visit.id,
                                           .offer = own.write(transport, common::random_u32()),
                                           .ice_session = transport.ice.ufrag};
  return result;
}

tl::expected<std::string, Refused> Sfu::take_answer(const std::string& id, Answer answer,
                                                    dtls::Instant now) {
  const auto refused = [this](Refusal why, std::string sentence) {
    return tl::unexpected(refuse(why, std::move(sentence)).error());
  };
  const auto found = offers_.find(id);
  if (found == offers_.end()) return refused(Refusal::offer, "No offer waits for this answer.");
  if (answer.ice_lite) {
    return refused(Refusal::offer, "The answer says a=ice-lite, and so does the server.");
  }
  const auto agreement = found->second.offer.agree(answer, random_ssrc);
  if (!agreement) return refused(Refusal::offer, agreement.error().sentence);
  auto streams = make_streams(agreement->parts);
  if (!streams) return refused(Refusal::offer, streams.error());
  const auto handle = found->second.session;
  auto viewer = std::make_unique<Viewer>(handle, *std::move(streams), now);
  Room* const place = room_to_watch(found->second.visit.room, now);
  if (place == nullptr) {
    withdraw(found, now);
    return refused(Refusal::no_publisher, kNobodyPublishes);
  }
  if (!place->has_media_for(*viewer)) {
    return refused(Refusal::no_common_codec, kNoCommonCodec);
  }
  const auto& transport = answer.transport;
  if (!port_.server.set_remote_ufrag(handle, transport.ice.ufrag, now)) {
    return refused(Refusal::offer, "a=ice-ufrag has other characters than ICE's.");
  }
  // RFC 5763 section 5: the server has begun as the one who waits. Pion says passive to an agent
  // that is lite.
  const auto role = transport.setup == Setup::passive ? dtls::Role::client : dtls::Role::server;
  const auto started = port_.server.apply(
      handle, [&](transport::MediaTransport& media) { return media.start(role, now); });
  if (!started || !port_.server.set_peer_fingerprints(handle, transport.fingerprints, now)) {
    withdraw(found, now);
    return refused(Refusal::failed, "DTLS has failed.");
  }
  auto offer = take(found);
  Session& session = begin(handle, offer.visit, std::move(offer.admission), *place, now);
  add_viewer(session, std::move(viewer), now);
  session.ice = IceSession(answer);
  session.path = port_.server.path_of(handle);  // its checks may have come before the answer
  session.data = data_.join(handle, answer, role, session.room->data(), now);
  log(session, "session_started");
  return port_.server.local_credentials(handle)->ufrag;
}

Sfu::OpenOffer Sfu::take(OpenOffers::iterator offer) {
  auto taken = std::move(offer->second);
  offers_.erase(offer);
  return taken;
}

void Sfu::withdraw(OpenOffers::iterator offer, dtls::Instant now) {
  const auto handle = take(offer).session;
  forget_path(port_.server.path_of(handle));
  if (!port_.server.close(handle, now)) port_.server.remove(handle);
}

}  // namespace sluice::interop::sfu
