// The media server without I/O: rooms and sessions on an ice_lite::IceLiteServer.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <tl/expected.hpp>

#include <sluice/dtls/config.h>
#include <sluice/dtls/fingerprint.h>
#include <sluice/ice_lite/description.h>
#include <sluice/ice_lite/ice_lite_server.h>

#include "common/sdp/sdp_offer.h"
#include "sfu/cluster/cluster_view.h"
#include "sfu/data/data_hub.h"
#include "sfu/forwarding/media_port.h"
#include "sfu/forwarding/room.h"
#include "sfu/operations/counters.h"
#include "sfu/operations/event_log.h"
#include "sfu/restart/moved_sfu.h"
#include "sfu/signalling/counter_offer.h"
#include "sfu/signalling/ice_session.h"
#include "sfu/workers/directory.h"
#include "sfu/workers/mirrors.h"

namespace sluice::interop::sfu {

struct SfuOptions {
  // ---- above these, new sessions are refused
  std::size_t max_rooms = 100;
  std::size_t max_publishers = 8;  // of a room
  std::size_t max_viewers = 1000;  // of a room
  std::size_t max_sessions = 4000;
  std::size_t max_sessions_per_address = 100;  // of IPv6: per /64 (common::host_of())
  // ---- after these, sessions end
  dtls::Duration connect_timeout = std::chrono::seconds{30};  // until DTLS is connected
  dtls::Duration silence = std::chrono::seconds{60};          // of a publisher: no RTP
  dtls::Duration room_hold = std::chrono::seconds{5};         // of a room's last publisher's end
  TrackOptions tracks = {};
  DataLimits data = {};
  // Each session that begins, connects and ends.
  Log log = {};
};

Limits limits_of(const SfuOptions& options);

// What all sessions have in common.
struct SfuIdentity {
  dtls::ConfigPtr dtls = {};  // required
  dtls::Fingerprint fingerprint = {};
  std::vector<ice_lite::AnnouncedAddress> announced = {};
};

struct Created {
  std::string id;      // of the session: a secret, since who knows it may end the session
  std::string answer;  // SDP
  // Names the ICE session: our ufrag, which changes with an ICE restart (RFC 9725 section 4.3.1).
  std::string ice_session;
};
using CreateResult = tl::expected<Created, Refused>;

struct Session {
  std::string id;
  std::string address;  // of the HTTP client
  Admission admission = {};
  Room* room = nullptr;
  dtls::Instant made_at{};
  IceSession ice = {};
  bool is_connected = false;
  std::optional<dtls::UdpPath> path = {};  // where it was sent to last
  // One of them.
  std::unique_ptr<Publisher> publisher = {};
  std::unique_ptr<Viewer> viewer = {};
  std::unique_ptr<DataSession> data = {};  // null: not offered
};

// For the log and for operators: "publisher", "viewer", or "node" for one of the cluster that
// pulls.
std::string_view role_of(const Session& session);
// How long a counter-offer waits for its answer: draft-ietf-wish-whep-04 has 30 s from when the
// client was told.
inline constexpr std::chrono::seconds kCounterOfferLife{31};

// Like the IceLiteServer it has no socket, no thread and no clock. After every input, of either,
// call drain().
class Sfu {
 public:
  // `server` and `outlet` outlive it, and so does what `workplace` has: empty, it is alone. It is
  // the only user of `server`, but for datagrams, its timeouts and poll_transmit().
  Sfu(SfuOptions options, SfuIdentity identity, ice_lite::IceLiteServer& server, Outlet& outlet,
      Workplace workplace = {});
  ~Sfu();
  Sfu(const Sfu&) = delete;
  Sfu& operator=(const Sfu&) = delete;

  // ---- signalling. `address` is the client's.

  // `agreement`: of agree_on_publishing() or agree_on_viewing() for this offer. They need no state,
  // so that another thread may have made it.
  CreateResult publish(const std::string& room, const Offer& offer,
                       const PublishAgreement& agreement, const std::string& address,
                       dtls::Instant now);
  // `looks_elsewhere`: where nobody publishes here the client looks for the room on other nodes
  // before it is refused, so that this is no refusal that counts.
  CreateResult watch(const std::string& room, const Offer& offer, const ViewAgreement& agreement,
                     const std::string& address, dtls::Instant now, bool looks_elsewhere = false);
  // The viewer's answer to a counter-offer; the name of its ICE session. The offer stays where the
  // answer is refused for what it says.
  tl::expected<std::string, Refused> take_answer(const std::string& id, Answer answer,
                                                 dtls::Instant now);
  // Whether a counter-offer with this ID waits for its answer.
  [[nodiscard]] bool awaits_answer(const std::string& id) const { return offers_.contains(id); }
  // PATCH (RFC 9725 section 4.3).
  IceResult update_ice(const std::string& id, const IceUpdate& update, dtls::Instant now);
  // Viewer::ask_for_layer(). False also if no viewer has this ID.
  bool ask_for_layer(const std::string& id, std::string_view mid, const std::string& rid);
  // False: no such session or counter-offer.
  bool remove(const std::string& id, dtls::Instant now);
  void end_all(dtls::Instant now);
  // Whether a session has this ID; as a publisher or not.
  [[nodiscard]] const Session* find(const std::string& id) const;

  // ---- the other nodes of a cluster (cluster/sfu_cluster.cc)

  // WHEP of another node: all layers of one publisher, which this worker has. The session ends with
  // its publisher.
  CreateResult watch_stream(const StreamRequest& request, Offer offer, const std::string& address,
                            dtls::Instant now);
  // The nodes that it has come over; empty: it publishes here, or is none.
  [[nodiscard]] std::vector<std::string> path_of(const std::string& room,
                                                 const std::string& stream) const;
  // A publisher whose packets come from another node. Without a value: a limit refuses it.
  tl::expected<Publisher*, std::string> add_pulled(const std::string& room,
                                                   std::unique_ptr<Publisher> publisher,
                                                   dtls::Instant now);
  // A packet of a publisher, as poll_media() of its connection has it. It stays where it is until
  // forward_pulled().
  void take_media(Publisher& publisher, const transport::MediaPacket& media, dtls::Instant now);
  void forward_pulled(dtls::Instant now) { forward_bursts(now); }
  void remove_pulled(const Publisher& publisher, dtls::Instant now);
  // Whether its room has viewers, on any worker, or another node pulls it from here. Who may still
  // answer a counter-offer is a viewer.
  [[nodiscard]] bool is_wanted(const Publisher& pulled) const;
  // Of this worker.
  [[nodiscard]] ClusterView cluster_view() const;

  // ---- the next process

  // What it goes on from. Sessions that can't move are ended, the others are gone here: their
  // peers are told nothing.
  MovedSfu move_out(dtls::Instant now);
  // Goes on with sessions of the process before, while there is no other one here. `away`: since
  // its move_out(). How many go on; the others are logged.
  std::size_t move_in(const MovedSfu& moved, dtls::Duration away, dtls::Instant now);
  // Goes on with one of them. `idle`: how long nobody has published in its room; `publisher_in`:
  // those that its seats show, by their places. Whether it goes on.
  bool move_in(const MovedSession& moved, dtls::Duration idle, const PublisherInPlace& publisher_in,
               dtls::Duration away, dtls::Instant now);

  // ---- the other workers

  // Follows what they have done, and takes what they have sent, some hundred packets of each.
  // False: more waits.
  bool take_from_workers(dtls::Instant now);
  // While sessions move in, in place of it: publishers alone. Which labels of data channels have
  // channels is known when all are here; follow_labels() says so.
  void follow_publishers(dtls::Instant now);
  void follow_labels(dtls::Instant now);
  [[nodiscard]] std::size_t worker() const { return worker_; }
  // Null: it is alone.
  [[nodiscard]] Mirrors* mirrors() { return mirrors_.get(); }
  [[nodiscard]] const Mirrors* mirrors() const { return mirrors_.get(); }

  // ---- media

  // Takes the outputs of the server, all but poll_transmit().
  void drain(dtls::Instant now);
  // To be called at next_timeout() or later.
  void handle_timeout(dtls::Instant now);
  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const;

  // ---- state

  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] const std::unordered_map<ice_lite::SessionHandle, Session>& sessions() const {
    return sessions_;
  }
  [[nodiscard]] const std::map<std::string, std::unique_ptr<Room>>& rooms() const { return rooms_; }

 private:
  // A publisher of another node.
  struct Pulled {
    Room* room;
    Admission admission;
    std::unique_ptr<Publisher> publisher;
  };
  using Sessions = std::unordered_map<ice_lite::SessionHandle, Session>;
  // A counter-offer that waits for its answer. It counts as a session in what is limited.
  struct OpenOffer {
    ice_lite::SessionHandle session;
    Visit visit;
    Admission admission;
    CounterOffer offer;
    dtls::Instant until;
  };
  using OpenOffers = std::unordered_map<std::string, OpenOffer>;  // by ID

  [[nodiscard]] transport::MediaTransportOptions transport_options(std::size_t streams) const;
  CreateResult refuse(Refused refused);
  CreateResult refuse(Refusal why, std::string sentence);
  // `streams`: that are sent to the peer.
  tl::expected<ice_lite::SessionHandle, Refused> add_session(const Offer& offer,
                                                             std::size_t streams,
                                                             dtls::Instant now);
  // One that is made has been idle since then.
  Room& room(const std::string& name, dtls::Instant idle_since);
  Session& begin(ice_lite::SessionHandle handle, const Visit& visit, Admission admission,
                 Room& room, dtls::Instant made_at);
  // The server's side of a session, for the SDP.
  [[nodiscard]] TransportDescription own_transport(ice_lite::SessionHandle handle,
                                                   Setup setup) const;
  // A stream of a cluster that this worker has, no mirror; null: there is none.
  [[nodiscard]] Publisher* stream_in(const std::string& room, const std::string& id) const;
  // Where something is published; null: there is no such room.
  [[nodiscard]] Room* room_to_watch(const std::string& room, dtls::Instant now);
  // Refuses a viewer's offer, with one of the server where that may help.
  CreateResult counter(const Visit& visit, Admission admission, const Offer& offer,
                       const Refused& refused, dtls::Instant now);
  // It becomes the session's, and comes into its room.
  void add_viewer(Session& session, std::unique_ptr<Viewer> viewer, dtls::Instant now);
  // end(): there is none.
  Sessions::iterator session_of(const std::string& id);
  // Without its session, which goes on or not.
  OpenOffer take(OpenOffers::iterator offer);
  void withdraw(OpenOffers::iterator offer, dtls::Instant now);
  CreateResult created(ice_lite::SessionHandle handle, const Offer& offer,
                       const std::vector<AnsweredSection>& answer, dtls::Instant now);

  // What has changed in the directory.
  void follow(dtls::Instant now);
  void take_data(dtls::Instant now);
  void take_media(dtls::Instant now);
  void forward_bursts(dtls::Instant now);
  void take_events(dtls::Instant now);
  void on_connected(ice_lite::SessionHandle handle, dtls::Instant now);
  // Ends a session here; the peer is told by close_notify, unless it has ended by itself.
  void end(Sessions::iterator session, End why, dtls::Instant now);
  void forget_path(const std::optional<dtls::UdpPath>& path);
  void sweep(dtls::Instant now);
  [[nodiscard]] std::optional<End> overdue(const Session& session, dtls::Instant now) const;
  MovedSession move_out(Session& session, const ice_lite::SessionState& transport,
                        const PlaceOfPublisher& place_of, dtls::Instant now) const;
  [[nodiscard]] std::vector<ice_lite::SessionHandle> order_of_rooms() const;
  void forget_all(dtls::Instant now);
  tl::expected<Session*, std::string> restore(const MovedSession& moved, dtls::Duration idle,
                                              const PublisherInPlace& publisher_in,
                                              dtls::Duration away, dtls::Instant now);
  void log(const Session& session, std::string_view event, std::string_view reason = {}) const;

  SfuOptions options_;
  SfuIdentity identity_;
  std::unique_ptr<Directory> own_directory_;  // null: it has another one
  Directory& directory_;
  Exchange* exchange_;  // null: it is alone
  std::size_t worker_;
  Counters counters_;
  MediaPort port_;
  std::unique_ptr<DataBridge> bridge_;  // null: it is alone
  DataHub data_;
  std::map<std::string, std::unique_ptr<Room>> rooms_;
  std::unique_ptr<Mirrors> mirrors_;  // null: it is alone
  Sessions sessions_;
  std::vector<Pulled> pulled_;
  std::unordered_map<std::string, ice_lite::SessionHandle> handles_;  // by ID
  OpenOffers offers_;
  std::vector<Track*> busy_;  // with a burst
  dtls::Instant next_sweep_{};
};

}  // namespace sluice::interop::sfu
