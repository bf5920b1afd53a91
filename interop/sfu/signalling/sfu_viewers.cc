// How viewers come: by their offer, or by their answer to a counter-offer of the server.
#include <algorithm>
#include <utility>

#include "common/random_numbers.h"
#include "sfu/sfu.h"
#include "sfu/signalling/counter_offer.h"
#include "sfu/signalling/negotiation.h"

namespace sluice::interop::sfu {
namespace {

SdpResult<std::vector<ViewerStream>> make_streams(const std::vector<ViewedStream>& agreed) {
  std::vector<ViewerStream> streams;
  for (const ViewedStream& each : agreed) {
    auto stream = ViewerStream::make(each);
    if (!stream) {
      return tl::unexpected(SdpError{"The a=mid or a=extmap lines of the SDP can't be used."});
    }
    streams.push_back(*std::move(stream));
  }
  return streams;
}

constexpr const char* kNoCommonCodec =
    "The SDP has none of the codecs that are published in this room.";

}  // namespace

tl::expected<Room*, Refused> Sfu::place_for_viewer(const std::string& room,
                                                   const std::string& address) {
  if (auto refused = full(address)) return tl::unexpected(*std::move(refused));
  const auto found = rooms_.find(room);
  if (found == rooms_.end() || found->second->publishers() == 0) {
    return tl::unexpected(Refused{Refusal::no_publisher, "Nobody publishes in this room."});
  }
  const auto waiting =
      std::ranges::count(offers_, room, [](const auto& each) -> auto& { return each.second.room; });
  if (found->second->viewers() + static_cast<std::size_t>(waiting) >= options_.max_viewers) {
    return tl::unexpected(
        Refused{Refusal::too_many_viewers, "There are too many viewers in this room."});
  }
  return found->second.get();
}

void Sfu::begin_viewer(ice_lite::SessionHandle handle, std::string id, const std::string& address,
                       Room& place, std::unique_ptr<Viewer> viewer, dtls::Instant now) {
  Session& session = begin(handle, std::move(id), address, place, now);
  session.viewer = std::move(viewer);
  place.add(*session.viewer, port_, now);
  ++counters_.viewers;
}

CreateResult Sfu::watch(const std::string& room_name, Offer offer, const std::string& address,
                        dtls::Instant now) {
  const auto place = place_for_viewer(room_name, address);
  if (!place) return refuse(place.error().why, place.error().sentence);
  const auto refuse_offer = [&](Refusal why, std::string sentence) {
    return counter(**place, offer, address, {.why = why, .sentence = std::move(sentence)}, now);
  };
  const auto agreement = agree_on_viewing(offer, random_ssrc);
  if (!agreement) return refuse_offer(Refusal::offer, agreement.error().sentence);
  auto streams = make_streams(agreement->parts);
  if (!streams) return refuse_offer(Refusal::offer, streams.error().sentence);
  const auto handle = add_session(offer, streams->size(), now);
  if (!handle) return refuse(handle.error().why, handle.error().sentence);
  auto viewer = std::make_unique<Viewer>(*handle, *std::move(streams), now);
  if (!(*place)->has_media_for(*viewer)) {
    port_.server.remove(*handle);
    return refuse_offer(Refusal::no_common_codec, kNoCommonCodec);
  }
  begin_viewer(*handle, common::random_id(), address, **place, std::move(viewer), now);
  return created(*handle, offer, agreement->answer, now);
}

CreateResult Sfu::counter(const Room& place, const Offer& offer, const std::string& address,
                          const Refused& refused, dtls::Instant now) {
  auto result = refuse(refused.why, refused.sentence);
  if (offer.ice_lite) return result;  // no answer of it could be taken either
  const auto published = place.formats();
  CounterOffer own(published, data_section(offer) != nullptr, random_ssrc);
  ice_lite::SessionOptions session;
  session.transport = transport_options(published.size());
  const auto handle = port_.server.add_session(session, now);
  if (!handle) return result;
  const auto transport = own_transport(*handle, Setup::actpass);
  OfferMade made{.id = common::random_id(),
                 .offer = own.write(transport, common::random_u32()),
                 .ice_session = transport.ice.ufrag};
  offers_.emplace(made.id, OpenOffer{.session = *handle,
                                     .room = place.name(),
                                     .address = address,
                                     .offer = std::move(own),
                                     .until = now + kCounterOfferLife});
  ++per_address_[address];
  ++counters_.counter_offers;
  result.error().counter_offer = std::move(made);
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
  if (!streams) return refused(Refusal::offer, streams.error().sentence);
  const auto handle = found->second.session;
  auto viewer = std::make_unique<Viewer>(handle, *std::move(streams), now);
  const auto place = rooms_.find(found->second.room);
  if (place == rooms_.end() || place->second->publishers() == 0) {
    withdraw(found, now);
    return refused(Refusal::no_publisher, "Nobody publishes in this room any more.");
  }
  if (!place->second->has_media_for(*viewer)) {
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
  const auto offer = take(found);
  begin_viewer(handle, id, offer.address, *place->second, std::move(viewer), now);
  Session& session = sessions_.at(handle);
  session.ice = IceSession(answer);
  session.data = data_.join(handle, answer, role, session.room->data(), now);
  log(session, "session_started");
  return port_.server.local_credentials(handle)->ufrag;
}

Sfu::OpenOffer Sfu::take(OpenOffers::iterator offer) {
  auto taken = std::move(offer->second);
  const auto of_address = per_address_.find(taken.address);
  if (--of_address->second == 0) per_address_.erase(of_address);
  offers_.erase(offer);
  return taken;
}

void Sfu::withdraw(OpenOffers::iterator offer, dtls::Instant now) {
  const auto handle = take(offer).session;
  if (!port_.server.close(handle, now)) port_.server.remove(handle);
}

}  // namespace sluice::interop::sfu
