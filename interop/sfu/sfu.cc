#include "sfu/sfu.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/ip_address.h"
#include "common/random_numbers.h"

namespace sluice::interop::sfu {
namespace {

// How exactly the timers of sessions are kept.
constexpr std::chrono::milliseconds kTick{50};

// SSRCs of a session and direction that SRTP knows at a time, beside two for each stream that is
// sent. A peer that invents others displaces its own.
constexpr std::size_t kMaxOtherSsrcs = 32;

// An offer of actpass leaves the choice: RFC 9725 section 4.4.5 recommends passive.
dtls::Role own_role(const Offer& offer) {
  return offer.transport.setup == Setup::passive ? dtls::Role::client : dtls::Role::server;
}

}  // namespace

std::string_view role_of(const Session& session) {
  if (session.publisher) return "publisher";
  return session.viewer && session.viewer->is_bound() ? "node" : "viewer";
}

Limits limits_of(const SfuOptions& options) {
  return {.max_rooms = options.max_rooms,
          .max_publishers = options.max_publishers,
          .max_viewers = options.max_viewers,
          .max_sessions = options.max_sessions,
          .max_sessions_per_address = options.max_sessions_per_address};
}

Sfu::Sfu(SfuOptions options, SfuIdentity identity, ice_lite::IceLiteServer& server, Outlet& outlet,
         Workplace workplace)
    : options_(std::move(options)),
      identity_(std::move(identity)),
      own_directory_(workplace.directory != nullptr
                         ? nullptr
                         : std::make_unique<Directory>(limits_of(options_))),
      directory_(own_directory_ ? *own_directory_ : *workplace.directory),
      exchange_(workplace.exchange),
      worker_(workplace.worker),
      port_{.server = server, .outlet = outlet, .counters = counters_},
      bridge_(exchange_ == nullptr ? nullptr
                                   : std::make_unique<DataBridge>(directory_, *exchange_, worker_)),
      data_(options_.data, port_, counters_.data, bridge_.get()) {
  if (workplace.exchange == nullptr) return;
  mirrors_ = std::make_unique<Mirrors>(
      workplace, options_.tracks, port_,
      [this](const std::string& name, dtls::Instant idle) -> Room& { return room(name, idle); });
}

Sfu::~Sfu() = default;

// ---- signalling

CreateResult Sfu::refuse(Refused refused) {
  counters_.count(refused.why);
  return tl::unexpected(std::move(refused));
}

CreateResult Sfu::refuse(Refusal why, std::string sentence) {
  return refuse({.why = why, .sentence = std::move(sentence)});
}

tl::expected<ice_lite::SessionHandle, Refused> Sfu::add_session(const Offer& offer,
                                                                std::size_t streams,
                                                                dtls::Instant now) {
  // RFC 8445 section 6.1.1: two lite agents find no pair by checks.
  if (offer.ice_lite) {
    return tl::unexpected(
        Refused{Refusal::offer, "The offer says a=ice-lite, and so does the server."});
  }
  ice_lite::SessionOptions options;
  options.transport = transport_options(streams);
  options.transport.srtp.cryptex = answer_cryptex(offer.transport);
  options.role = own_role(offer);
  options.peer_fingerprints = offer.transport.fingerprints;
  options.remote_ufrag = offer.transport.ice.ufrag;
  options.dtls_in_stun = offer.dtls_in_stun;
  const auto session = port_.server.add_session(options, now);
  if (session) return *session;
  // Such as a ufrag with other characters than RFC 8839 section 5.4 has.
  const bool is_offers_fault = session.error().code == dtls::Errc::invalid_config;
  return tl::unexpected(
      Refused{is_offers_fault ? Refusal::offer : Refusal::failed,
              "The transport can't be made: " + dtls::to_string(session.error()) + "."});
}

transport::MediaTransportOptions Sfu::transport_options(std::size_t streams) const {
  transport::MediaTransportOptions options;
  options.dtls = identity_.dtls;
  options.srtp.max_ssrcs = 2 * streams + kMaxOtherSsrcs;
  return options;
}

Room& Sfu::room(const std::string& name, dtls::Instant idle_since) {
  auto& room = rooms_[name];
  if (!room) {
    room = std::make_unique<Room>(name, idle_since);
    directory_.hold_room(name, worker_);
  }
  return *room;
}

Session& Sfu::begin(ice_lite::SessionHandle handle, const Visit& visit, Admission admission,
                    Room& room, dtls::Instant made_at) {
  if (sessions_.empty()) next_sweep_ = made_at + kTick;
  Session& session = sessions_[handle];
  session = {.id = visit.id,
             .address = visit.address,
             .admission = std::move(admission),
             .room = &room,
             .made_at = made_at};
  session.admission.add_ufrag(port_.server.local_credentials(handle)->ufrag);
  if (session.admission.made_room()) ++counters_.rooms;
  handles_.emplace(session.id, handle);
  return session;
}

TransportDescription Sfu::own_transport(ice_lite::SessionHandle handle, Setup setup) const {
  TransportDescription transport{.ice = *port_.server.local_credentials(handle),
                                 .end_of_candidates = true,
                                 .setup = setup,
                                 .fingerprints = {identity_.fingerprint}};
  auto preference = static_cast<std::uint16_t>(0xffff);
  for (const auto& address : identity_.announced) {
    transport.candidates.push_back(ice_lite::candidate(address, preference--));
  }
  return transport;
}

CreateResult Sfu::created(ice_lite::SessionHandle handle, const Offer& offer,
                          const std::vector<AnsweredSection>& answer, dtls::Instant now) {
  Session& session = sessions_.at(handle);
  session.ice = IceSession(offer);
  session.data = data_.join(handle, offer, own_role(offer), session.room->data(), now);
  auto transport =
      own_transport(handle, own_role(offer) == dtls::Role::client ? Setup::active : Setup::passive);
  transport.cryptex = answer_cryptex(offer.transport) != srtp::Cryptex::off;
  // RFC 8842 section 5.3: an answer has it where the offer has it.
  if (!offer.transport.tls_id.empty()) transport.tls_id = common::random_id();
  log(session, "session_started");
  return Created{.id = session.id,
                 .answer = write_answer(offer, answer, transport, common::random_u32(),
                                        session.data ? session.data->local_init() : dtls::Bytes{}),
                 .ice_session = transport.ice.ufrag};
}

CreateResult Sfu::publish(const std::string& room_name, const Offer& offer,
                          const PublishAgreement& agreement, const std::string& address,
                          dtls::Instant now) {
  if (!agreement) return refuse(Refusal::offer, agreement.error().sentence);
  const Visit visit{
      .id = common::random_id(), .room = room_name, .address = address, .publishes = true};
  auto admission = directory_.admit(worker_, visit);
  if (!admission) return refuse(admission.error());
  const auto handle = add_session(offer, 0, now);
  if (!handle) return refuse(handle.error());
  Room& place = room(room_name, now);
  Session& session = begin(*handle, visit, *std::move(admission), place, now);
  session.publisher = std::make_unique<Publisher>(
      PublisherPeer{.path = rtcp_path(port_, *handle), .own_ssrc = random_ssrc()}, agreement->parts,
      options_.tracks, now, StreamOrigin{.id = common::random_id()});
  place.add(*session.publisher, port_, now);
  if (mirrors_) mirrors_->announce(place, *session.publisher, now);
  ++counters_.publishers;
  return created(*handle, offer, agreement->answer, now);
}

IceResult Sfu::update_ice(const std::string& id, const IceUpdate& update, dtls::Instant now) {
  const auto found = session_of(id);
  if (found == sessions_.end()) {
    return tl::unexpected(IceRefused{IceRefusal::no_session, "There is no such session."});
  }
  Session& session = found->second;
  auto result = session.ice.update(update, found->first, port_.server, identity_.announced, now);
  if (!result) ++counters_.ice_refused;
  if (!result || !*result) return result;
  session.admission.add_ufrag((*result)->ice_session);
  ++counters_.ice_restarts;
  log(session, "ice_restarted");
  return result;
}

bool Sfu::ask_for_layer(const std::string& id, std::string_view mid, const std::string& rid) {
  const auto found = session_of(id);
  return found != sessions_.end() && found->second.viewer &&
         found->second.viewer->ask_for_layer(mid, rid);
}

bool Sfu::remove(const std::string& id, dtls::Instant now) {
  if (const auto offer = offers_.find(id); offer != offers_.end()) {
    withdraw(offer, now);
    return true;
  }
  const auto found = session_of(id);
  if (found == sessions_.end()) return false;
  end(found, End::deleted, now);
  return true;
}

void Sfu::end_all(dtls::Instant now) {
  while (!offers_.empty()) withdraw(offers_.begin(), now);
  while (!sessions_.empty()) end(sessions_.begin(), End::stopped, now);
}

const Session* Sfu::find(const std::string& id) const {
  const auto handle = handles_.find(id);
  return handle == handles_.end() ? nullptr : &sessions_.at(handle->second);
}

Sfu::Sessions::iterator Sfu::session_of(const std::string& id) {
  const auto handle = handles_.find(id);
  return handle == handles_.end() ? sessions_.end() : sessions_.find(handle->second);
}

void Sfu::end(Sessions::iterator found, End why, dtls::Instant now) {
  const ice_lite::SessionHandle handle = found->first;
  Session& session = found->second;
  log(session, "session_ended", kEndNames.at(static_cast<std::size_t>(why)));
  counters_.count(why);
  if (session.data) data_.leave(*session.data, now);
  if (session.publisher) {
    if (mirrors_) mirrors_->withdraw(*session.publisher);
    session.room->remove(*session.publisher, port_, now);
  }
  if (session.viewer) session.room->remove(*session.viewer);
  forget_path(session.path);
  handles_.erase(session.id);
  sessions_.erase(found);
  // Before it is connected there is no peer to tell. Ended comes for a session that is gone here.
  if (why == End::closed_by_peer || why == End::failed) return;
  if (!port_.server.close(handle, now)) port_.server.remove(handle);
}

// The port of several workers gives it to others from now on; where the queue has no room, once its
// last check is old enough (PathTable).
void Sfu::forget_path(const std::optional<dtls::UdpPath>& path) {
  if (exchange_ == nullptr || !path) return;
  exchange_->to_port(worker_).push({.path = *path, .kind = PortHeader::Kind::forget}, {});
}

void Sfu::log(const Session& session, std::string_view event, std::string_view reason) const {
  if (!options_.log) return;
  options_.log({.event = event,
                .fields = {{"session", session.id.substr(0, 8)},
                           {"role", std::string{role_of(session)}},
                           {"room", session.room->name()},
                           {"address", session.address},
                           {"reason", std::string{reason}}}});
}

// ---- the other workers

bool Sfu::take_from_workers(dtls::Instant now) {
  follow(now);
  const bool has_all = mirrors_->take(now);
  for (const auto& message : exchange_->messages(worker_).take()) {
    const auto room = rooms_.find(message->room);
    if (room != rooms_.end()) data_.take(room->second->data(), *message, now);
  }
  return has_all;
}

void Sfu::follow_publishers(dtls::Instant now) {
  for (const std::string& name : directory_.take_changes(worker_)) mirrors_->sync(name, now);
  mirrors_->take(now);
}

void Sfu::follow_labels(dtls::Instant now) {
  for (const auto& [name, room] : rooms_) data_.sync(room->data(), now);
}

void Sfu::follow(dtls::Instant now) {
  if (!directory_.has_changes(worker_)) return;
  for (const std::string& name : directory_.take_changes(worker_)) {
    mirrors_->sync(name, now);
    const auto room = rooms_.find(name);
    if (room != rooms_.end()) data_.sync(room->second->data(), now);
  }
}

// ---- media

void Sfu::drain(dtls::Instant now) {
  take_data(now);
  take_media(now);
  take_events(now);
}

void Sfu::take_data(dtls::Instant now) {
  while (const auto data = port_.server.poll_data()) {
    const auto found = sessions_.find(data->session);
    if (found != sessions_.end()) data_.handle_packet(found->second.data.get(), data->bytes, now);
  }
}

// All that has come in this turn goes to one receiver before the next one.
void Sfu::take_media(dtls::Instant now) {
  while (const auto media = port_.server.poll_media()) {
    const auto found = sessions_.find(media->session);
    if (found == sessions_.end()) continue;
    const Session& session = found->second;
    if (session.publisher) {
      take_media(*session.publisher, {.kind = media->kind, .packet = media->packet}, now);
    } else if (media->kind == transport::MediaKind::rtp) {
      ++counters_.rtp_dropped;
    } else {
      session.viewer->on_rtcp(media->packet, port_, now);
    }
  }
  forward_bursts(now);
}

void Sfu::take_media(Publisher& publisher, const transport::MediaPacket& media, dtls::Instant now) {
  if (media.kind == transport::MediaKind::rtcp) {
    return publisher.on_rtcp(media.packet, counters_, now);
  }
  Track* const track = publisher.on_rtp(media.packet, counters_, now);
  if (track != nullptr && std::ranges::find(busy_, track) == busy_.end()) busy_.push_back(track);
}

void Sfu::forward_bursts(dtls::Instant now) {
  for (Track* track : busy_) track->forward(port_, now);
  busy_.clear();
}

void Sfu::take_events(dtls::Instant now) {
  while (const auto event = port_.server.poll_event()) {
    const auto found = sessions_.find(event->session);
    if (found == sessions_.end()) continue;
    if (std::holds_alternative<ice_lite::Connected>(event->what)) {
      on_connected(event->session, now);
    } else if (const auto* selected = std::get_if<ice_lite::PathSelected>(&event->what)) {
      found->second.path = selected->path;
    } else if (std::holds_alternative<ice_lite::Expired>(event->what)) {
      end(found, End::expired, now);
    } else if (const auto* ended = std::get_if<ice_lite::Ended>(&event->what)) {
      const bool is_closed = ended->reason == ice_lite::EndReason::closed_by_peer;
      end(found, is_closed ? End::closed_by_peer : End::failed, now);
    }
  }
}

void Sfu::on_connected(ice_lite::SessionHandle handle, dtls::Instant now) {
  Session& session = sessions_.at(handle);
  session.is_connected = true;
  log(session, "session_connected");
  if (session.viewer) session.viewer->connect(port_, now);
  if (session.data) data_.start(*session.data, now);
}

// ---- time

std::optional<dtls::Instant> Sfu::next_timeout() const {
  if (sessions_.empty() && rooms_.empty() && offers_.empty()) return std::nullopt;
  return next_sweep_;
}

void Sfu::handle_timeout(dtls::Instant now) {
  if (now < next_sweep_) return;
  next_sweep_ = now + kTick;
  for (auto& [handle, session] : sessions_) {
    if (session.publisher) session.publisher->handle_timeout(port_, now);
    if (session.viewer) session.viewer->handle_timeout(port_, now);
    if (session.data) data_.handle_timeout(*session.data, now);
  }
  for (Pulled& each : pulled_) each.publisher->handle_timeout(port_, now);
  if (mirrors_) mirrors_->handle_timeout(now);
  sweep(now);
}

std::optional<End> Sfu::overdue(const Session& session, dtls::Instant now) const {
  if (!session.is_connected && now - session.made_at > options_.connect_timeout) {
    return End::not_connected;
  }
  if (session.publisher && now - session.publisher->heard_at() > options_.silence) {
    return End::silent;
  }
  if (session.viewer && session.viewer->has_lost_publisher()) return End::room_ended;
  const auto idle = session.room->idle_since();
  if (idle && now - *idle > options_.room_hold) return End::room_ended;
  return std::nullopt;
}

void Sfu::sweep(dtls::Instant now) {
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    const auto each = next++;
    if (const auto why = overdue(each->second, now)) end(each, *why, now);
  }
  for (auto next = offers_.begin(); next != offers_.end();) {
    const auto each = next++;
    if (now >= each->second.until) withdraw(each, now);
  }
  std::erase_if(rooms_, [&](const auto& entry) {
    const Room& room = *entry.second;
    const auto idle = room.idle_since();
    const bool is_over = room.viewers() == 0 && idle && now - *idle > options_.room_hold;
    if (is_over) directory_.release_room(room.name(), worker_);
    return is_over;
  });
}

}  // namespace sluice::interop::sfu
