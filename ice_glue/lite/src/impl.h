// IceLiteServer behind its facade.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/stun/message.h>

#include "crypto/keyed_hash.h"
#include "early_datagrams.h"
#include "live_session.h"
#include "response_budget.h"
#include "responses.h"
#include "session_table.h"
#include "table/host_counts.h"
#include "table/timer_queue.h"
#include "tuple_table.h"

namespace sluice::ice_lite {

class IceLiteServer::Impl {
 public:
  Impl(const ServerOptions& options, dtls::Environment& environment, dtls::crypto::KeyedHash keyed);

  // As in IceLiteServer.
  dtls::Result<SessionHandle> add_session(const SessionOptions& options, Instant now);
  [[nodiscard]] std::optional<Credentials> local_credentials(SessionHandle session) const;
  dtls::Result<void> set_remote_ufrag(SessionHandle session, std::string_view ufrag, Instant now);
  dtls::Result<void> set_cryptex(SessionHandle session, srtp::Cryptex mode);
  dtls::Result<void> set_rtt(SessionHandle session, dtls::Duration rtt);
  dtls::Result<Credentials> restart_ice(SessionHandle session, const IceRestart& restart,
                                        Instant now);
  dtls::Result<Pending> close(SessionHandle session, Instant now);
  Pending close_all(Instant now);
  void remove(SessionHandle session);
  dtls::Result<SessionState> export_session(SessionHandle session, Instant now);
  ExportedSessions export_sessions(Instant now);
  [[nodiscard]] std::optional<transport::ExportBlocked> export_blocked(SessionHandle session) const;
  dtls::Result<SessionHandle> restore(const SessionState& state, const RestoreOptions& options,
                                      Instant now);
  // Null for a handle that is not valid.
  transport::MediaTransport* begin_input(SessionHandle session);
  dtls::Result<Pending> end_input(SessionHandle session,
                                  const dtls::Result<transport::TransportPending>& outcome);

  Pending handle_datagram(MutableBytes datagram, const dtls::UdpPath& path, Instant now);
  BatchPending handle_datagrams(std::span<const dtls::ReceivedDatagram> datagrams, Instant now);
  Pending path_closed(const dtls::UdpPath& path, Instant now);
  Pending handle_timeout(Instant now);

  tl::expected<Transmit, srtp::PacketError> protect(transport::MediaKind kind,
                                                    SessionHandle session, MutableBytes buffer,
                                                    std::size_t size);
  tl::expected<Transmit, dtls::SendError> seal_data(SessionHandle session, Bytes application_data,
                                                    MutableBytes out);

  std::optional<Transmit> poll_transmit(MutableBytes out);
  std::optional<Data> poll_data();
  std::optional<Media> poll_media();
  std::optional<Event> poll_event();
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  [[nodiscard]] const transport::MediaTransport* find(SessionHandle session) const;
  [[nodiscard]] srtp::Session* srtp_session(SessionHandle session);
  [[nodiscard]] std::optional<SessionHandle> find(const dtls::UdpPath& path) const;
  [[nodiscard]] std::optional<dtls::UdpPath> path_of(SessionHandle session) const;
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }
  [[nodiscard]] std::size_t tuples() const { return tuples_.size(); }
  [[nodiscard]] const ServerStatistics& statistics() const { return statistics_; }

 private:
  // A datagram and where it came from: the path, its hash, and the tuple that it has, if any.
  struct Arrival {
    MutableBytes datagram;
    const dtls::UdpPath& path;
    std::uint64_t hash;
    SlotNumber tuple;
    Instant now;
  };
  // A request whose MESSAGE-INTEGRITY is right.
  struct Check {
    const stun::Message& message;
    SlotNumber session;
    const LocalCredentials& credentials;
    std::string_view ufrag;  // of the credentials, in the message
    std::string_view remote_ufrag;
  };

  // ---- every input
  void begin_turn(Instant now);
  Pending end_turn();
  // Takes note of what an input to a session's transport has left.
  void settle(SlotNumber number, const dtls::Result<transport::TransportPending>& outcome);
  void queue(Output output, SlotNumber number);
  // What has waited for the last flight of the handshake.
  void queue_what_waited(SlotNumber number);
  // The first session that waits in a queue; kNoSlot: none.
  SlotNumber first(Output output);
  void pop(Output output);
  void set_timer(SlotNumber number);
  void drop(Drop reason, std::size_t count = 1) {
    statistics_.dropped[static_cast<std::size_t>(reason)] += count;
  }

  // ---- sessions
  dtls::Result<LocalCredentials> make_credentials(const std::optional<Credentials>& given,
                                                  const std::string& remote_ufrag,
                                                  IceGeneration generation);
  // Errors: too_many_connections, invalid_config.
  [[nodiscard]] dtls::Result<void> may_add(const transport::MediaTransportOptions& transport) const;
  void end(SlotNumber number, EndReason reason, std::optional<dtls::Error> error = {});
  // When everything of an ended session was polled.
  void release_if_done(SlotNumber number);
  void release(SlotNumber number);
  std::optional<Event> next_event(SlotNumber number);

  // ---- sessions that are restored
  [[nodiscard]] dtls::Result<void> has_room(const LiveSession& live,
                                            const RestoreOptions& options) const;
  dtls::Result<LocalCredentials> restore_credentials(const LiveCredentials& live);
  // An entry for each tuple, which no session has yet. All or none.
  dtls::Result<std::vector<SlotNumber>> claim_paths(std::span<const LiveTuple> tuples);
  void give_back_paths(std::span<const SlotNumber> added);
  void tell_paths(SlotNumber number, Instant now);
  dtls::Result<transport::MediaTransport> restore_transport(const LiveSession& live,
                                                            std::span<const SlotNumber> added,
                                                            const RestoreOptions& options,
                                                            Instant now);
  // `exported`: when the ages of `live` were taken.
  void restore_tuples(SlotNumber number, const LiveSession& live, std::span<const SlotNumber> added,
                      Instant exported);

  // ---- datagrams
  [[nodiscard]] Arrival arrival_of(MutableBytes datagram, const dtls::UdpPath& path,
                                   Instant now) const;
  // Whether the outputs must be polled before this one is taken.
  [[nodiscard]] bool must_wait(const Arrival& arrival) const;
  void take(const Arrival& arrival);

  // ---- datagrams that are not STUN
  void on_packet(transport::PacketClass packet_class, const Arrival& arrival);
  // Whether the transport has no more media than that.
  bool take_media(SlotNumber number, Bytes datagram);
  void on_early(const Arrival& arrival);
  void measure_rtt(SlotNumber tuple, Instant now);

  // ---- checks
  void on_stun(const Arrival& arrival);
  void on_request(const stun::Message& request, const Arrival& arrival);
  void on_check(const Check& check, const Arrival& arrival);
  // From a tuple of its session.
  void on_repeated(const Check& check, const Arrival& arrival);
  // Counts and, unless the budget or the size forbids it, answers. `key`: of an authentic request.
  void refuse(Drop reason, std::uint16_t code, const stun::Message& request, const Arrival& arrival,
              const stun::IntegrityKey* key);
  void respond(const stun::Message& request, const LocalCredentials& credentials,
               const Session& session, const Arrival& arrival);
  // False: not sent, and counted.
  bool queue_response(const Arrival& arrival, const Response& response);

  // ---- DTLS in STUN
  static void begin_in_stun(Session& session, std::size_t mtu);
  // Takes what the transport has to send, to carry it in responses as well.
  void collect_handshake(SlotNumber number);
  void end_in_stun(SlotNumber number);
  // Takes what a valid check carries, and responds.
  void answer_in_stun(const Check& check, SlotNumber tuple, const Arrival& arrival);
  void respond_in_stun(const stun::Message& request, const LocalCredentials& credentials,
                       DtlsInStun& in_stun, const Arrival& arrival);
  // What is sent outside of STUN, too.
  std::optional<Transmit> poll_handshake(Session& session, MutableBytes out);

  // ---- tuples
  // The tuple for a valid check: the present one, or a new one of the session if the limits allow
  // it. kNoSlot: dropped.
  SlotNumber admit(const Check& check, const Arrival& arrival);
  // Why there may be no further tuple of this peer; empty: there may.
  [[nodiscard]] std::optional<Drop> is_full(const dtls::UdpEndpoint& peer) const;
  SlotNumber add_tuple(SlotNumber session, const Arrival& arrival);
  void remove_tuple(SlotNumber tuple);
  // Gives a tuple of another session away. False where that has used it a moment ago.
  bool take_tuple(SlotNumber tuple, SlotNumber by, Instant now);
  // Makes room for another tuple of the session.
  void displace_tuple(SlotNumber session, Instant now);
  // Tells the transport of a tuple that it may use.
  void validate(SlotNumber tuple, Instant now);
  void nominate(SlotNumber tuple, const Check& check, Instant now);
  void select(SlotNumber tuple, Instant now);
  // The best of the nominated tuples; kNoSlot: there is none.
  [[nodiscard]] SlotNumber best_tuple(const Session& session) const;
  // The session has lost the tuple that it has used. False: it has no other.
  bool select_another(SlotNumber session, Instant now);
  // The same, where consent on that tuple's path would have gone on: without another tuple the
  // session has Expired when it ends. `checked`: the last check on the path.
  void replace_lost(SlotNumber session, const dtls::UdpPath& path, Instant checked, Instant now);
  void expire_tuples(SlotNumber session, Instant now);
  void deliver_early(SlotNumber tuple, const Arrival& arrival);
  [[nodiscard]] bool is_usable(const Session& session, const Tuple& tuple) const {
    return tuple.checks.generation >= session.least_generation;
  }
  // Where the transport sends to; empty: nowhere.
  [[nodiscard]] std::optional<dtls::UdpPath> path_of(const transport::MediaTransport& of) const;

  ServerOptions options_;
  dtls::Environment* environment_;
  dtls::crypto::KeyedHash keyed_;
  ServerStatistics statistics_;

  SessionTable sessions_;
  TupleTable tuples_;
  dtls::table::HostCounts hosts_;
  EarlyDatagrams early_;
  ResponseBudget budget_;
  Responses responses_;
  std::array<Queue<SlotNumber>, kOutputs> queues_;
  // Taken from the transports already, so that they can take another datagram.
  Queue<Media> media_;
  dtls::table::TimerQueue timers_;
  Instant latest_ = Instant::min();
  std::optional<Instant> reported_timeout_;
};

}  // namespace sluice::ice_lite
