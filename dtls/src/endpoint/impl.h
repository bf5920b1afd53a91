// The implementation of Endpoint.
#pragma once

#include <unordered_map>
#include <vector>

#include <sluice/dtls/endpoint.h>

#include "crypto/keyed_hash.h"
#include "endpoint/datagram_peek.h"
#include "endpoint/id_index.h"
#include "endpoint/other_paths.h"
#include "endpoint/slot_queue.h"
#include "endpoint/slot_table.h"
#include "endpoint/tables.h"
#include "endpoint/wanted_sessions.h"

namespace sluice::dtls {

class Endpoint::Impl {
 public:
  Impl(const EndpointOptions& options, Environment& environment, std::optional<Listener> listener,
       crypto::KeyedHash hash);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() = default;
  // Connections of this Config are to come. Errors: invalid_config.
  Result<void> prepare(const ConfigOptions& config);

  // Inputs, as in Endpoint.
  Result<ConnectionHandle> connect(ConfigPtr config, const UdpPath& path, Instant now,
                                   const std::optional<ResumableSession>& session);
  Pending handle_datagram(MutableBytes datagram, const UdpPath& path, Instant now);
  Pending handle_timeout(Instant now);
  Result<Pending> close(ConnectionHandle handle, Instant now);
  Pending close_all(Instant now);
  Result<Pending> abort(ConnectionHandle handle);
  Result<void> set_path(ConnectionHandle handle, const UdpPath& path);
  void pin(ConnectionHandle handle) { pinned_.push_back(dtls::slot_of(handle)); }
  void unpin();
  void begin_input(Instant now);
  void drop_delivered();
  Connection* begin_input(ConnectionHandle handle);
  Result<Pending> end_input(ConnectionHandle handle, const Result<Pending>& outcome);
  SendResult seal(ConnectionHandle handle, Bytes application_data, MutableBytes out);

  // Sessions that leave and enter (impl_sessions.cc, impl_waking.cc).
  Result<Snapshot> snapshot(ConnectionHandle handle, SnapshotOptions options);
  Result<SessionState> export_session(ConnectionHandle handle, const ExportOptions& options,
                                      Instant now);
  Result<void> set_tag(ConnectionHandle handle, Bytes tag);
  Result<ConnectionHandle> adopt(ConfigPtr config, SessionState&& state, const UdpPath& path,
                                 Instant now);
  Result<Pending> restore_wanted(WantedSession wanted, ConfigPtr config, SessionState&& state,
                                 const std::optional<UdpPath>& path, Instant now);
  Pending drop_wanted(WantedSession wanted, Instant now);

  // Outputs (impl_outputs.cc).
  std::optional<EndpointData> poll_data();
  std::optional<EndpointEvent> poll_event();
  std::optional<EndpointTransmit> poll_transmit(MutableBytes out);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // Null for a handle that is not valid.
  [[nodiscard]] const endpoint::Slot* slot_of(ConnectionHandle handle) const;
  // Its present path.
  [[nodiscard]] UdpPath path_of(const endpoint::Slot& slot) const {
    return own_ends_.path(slot.path);
  }
  [[nodiscard]] std::optional<ConnectionHandle> find(const UdpPath& path) const;
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t half_open() const { return half_open_.size(); }
  [[nodiscard]] const EndpointStatistics& statistics() const { return statistics_; }
  [[nodiscard]] const ListenerStatistics& listener_statistics() const;
  // Null when peers cannot begin connections.
  [[nodiscard]] Listener* listener() { return listener_ ? &*listener_ : nullptr; }

 private:
  using Slot = endpoint::Slot;
  using SlotNumber = endpoint::SlotNumber;
  static constexpr SlotNumber kNoSlot = endpoint::kNoSlot;
  // Each connection counts its own paths.
  static constexpr PathId kFirstPath{0};

  // Paths (impl_paths.cc).
  [[nodiscard]] std::uint64_t hash_of(const UdpPath& path) const;
  // The connection at a path. If the path has two associations, this is the connected one. kNoSlot:
  // none.
  [[nodiscard]] SlotNumber find(const UdpPath& path, std::uint64_t hash) const;
  // The connection's path with this `id`, or its present path if `id` is unknown.
  [[nodiscard]] UdpPath path_of(SlotNumber number, PathId id) const;
  // The number under which the connection gets a datagram from `path`.
  [[nodiscard]] PathId number_of(SlotNumber number, const UdpPath& path) const;
  // Enters the connection into the index of paths. Of several at one path the index has one.
  void enter_index(SlotNumber number);
  // Whether datagrams without a connection ID may be for this connection.
  [[nodiscard]] bool needs_path(SlotNumber number) const;
  // Removes the connection from the index of paths. Another association at the same path then takes
  // its place.
  void leave_index(SlotNumber number);
  [[nodiscard]] bool counts_for_host(const Slot& slot) const;
  // All changes of a connection's path happen here. `id`: the number of `path`.
  void move_path(SlotNumber number, const UdpPath& path, PathId id);
  // Whether a connection whose peer begins another association may leave that alone.
  [[nodiscard]] bool may_part(SlotNumber number) const;
  // The connection has processed a datagram from a path that is not its present one.
  void on_other_path(SlotNumber number, PathId id, const UdpPath& path, const Pending& outcome);
  // Does what the connection has done: it may have changed its path.
  void follow_path(SlotNumber number);
  // Drops the paths that the connection has no use for any more.
  void drop_other_paths(SlotNumber number);
  [[nodiscard]] static tl::unexpected<Error> path_is_in_use() {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "path: has a connection"});
  }

  // A slot for a new connection, which is in no index yet.
  SlotNumber take_slot(const UdpPath& path, Instant now);
  void release_slot(SlotNumber number);
  // Whether the connection has opened a record.
  bool deliver(SlotNumber number, MutableBytes datagram, const UdpPath& path, Instant now);
  struct IdInDatagram {
    Bytes bytes;  // empty: none
    bool is_behind_plaintext = false;
  };
  // The connection ID of the first record, or of the first one behind plaintext.
  [[nodiscard]] IdInDatagram id_in(Bytes datagram) const;
  // Delivers a datagram that has no known connection ID to `known`, which is at its path, or to
  // another association there.
  void deliver_by_path(SlotNumber known, MutableBytes datagram, const UdpPath& path,
                       std::uint64_t hash, Instant now);
  // Delivers a datagram for which two associations at one path may both have keys to the one that
  // can open it.
  void deliver_to_either(SlotNumber connected, SlotNumber newer, MutableBytes datagram,
                         const UdpPath& path, Instant now);
  // Follows each input to a connection: queues it for polling and notes whether it is connected or
  // has ended. `reason` applies if it has ended without an error.
  void settle(SlotNumber number, const Result<Pending>& outcome, EndReason reason);
  void set_timer(SlotNumber number);
  // The connection opened when its last flight was polled.
  void on_opened(SlotNumber number);
  void on_connected(SlotNumber number);
  void end(SlotNumber number, EndReason reason, const Error* error = nullptr);
  void leave_half_open(SlotNumber number);
  // Two associations at one path, of which the newer is to replace the older, count once.
  [[nodiscard]] std::size_t occupied() const { return size_ - pairs_.size() / 2; }
  // Of two associations at one path: the other one. kNoSlot: there is none.
  [[nodiscard]] SlotNumber other_association(SlotNumber number) const {
    if (pairs_.empty()) return kNoSlot;
    const auto found = pairs_.find(number);
    return found != pairs_.end() ? found->second : kNoSlot;
  }
  [[nodiscard]] Pending pending();

  // Connections of peers by the time of their last record (impl_silence.cc). on_record_of() notes
  // that an authenticated record has come.
  void on_record_of(SlotNumber number);
  // The list that it is in, once connected: those that may age have one of their own.
  endpoint::SlotList& silence_list(const Slot& slot);
  // kNoSlot: there is none.
  [[nodiscard]] SlotNumber longest_silent() const;
  // When a silence of so long ends for certain: a later record may have come than `heard` says.
  [[nodiscard]] static Instant end_of_silence(Instant heard, Duration limit);
  // When the connection that has been silent longest has to end.
  [[nodiscard]] std::optional<Instant> idle_deadline() const;
  // The connection that has been silent longest, if it has to give way to a new peer. Else kNoSlot.
  [[nodiscard]] SlotNumber find_displaceable(Instant now) const;
  // Says close_notify and ends the connection.
  void dismiss(SlotNumber number, EndReason reason, Instant now);
  // A peer has connected that was admitted above max_connections.
  void make_room_for(SlotNumber newcomer, Instant now);

  // Sessions that leave and enter (impl_sessions.cc).
  Result<SessionState> export_slot(SlotNumber number, ExportOptions options);
  void keep_tag(SlotNumber number, Bytes tag);
  [[nodiscard]] Bytes tag_of(SlotNumber number) const;
  // When the connection that has been silent longest has to age.
  [[nodiscard]] std::optional<Instant> ageing_deadline() const;
  void age_one(Instant now);
  Result<SlotNumber> enter(ConfigPtr config, SessionState&& state, const UdpPath& path,
                           Instant now);
  // A slot for a restored connection.
  SlotNumber place(Connection connection, const UdpPath& path, Instant now);

  // Datagrams for sessions that sleep (impl_waking.cc).
  void want(Bytes id, Bytes datagram, const UdpPath& path, Instant now);
  void expire_wanted(Instant now);
  Result<SlotNumber> answer_wanted(WantedSession wanted, ConfigPtr config, SessionState&& state,
                                   const std::optional<UdpPath>& path, Instant now);
  // Where the first waiting datagram comes from that the session can open. Errors: not_wanted;
  // those of Connection::restore().
  Result<UdpPath> authentic_path(const endpoint::WantedSessions::Question& question,
                                 const ConfigPtr& config, const SessionState& state, Instant now);
  // Processes a datagram that has waited. Whether there was one that its connection has opened.
  bool deliver_released(Instant now);

  // New connections of peers (impl_admission.cc). on_hello() processes a ClientHello, or a fragment
  // of one, from the path of a connection.
  void on_hello(SlotNumber known, MutableBytes datagram, std::uint64_t hash, Instant now);
  void on_stranger(MutableBytes datagram, const UdpPath& path, std::uint64_t hash, Instant now);
  void admit(Admission admission, MutableBytes datagram, const UdpPath& path, std::uint64_t hash,
             Instant now);
  // `connected` is the connection that the new association will replace, or kNoSlot.
  void accept(Admission admission, SlotNumber connected, const UdpPath& path, Instant now);
  // Whether a ClientHello with this cookie begins an association after this one at the same path.
  [[nodiscard]] bool is_after(SlotNumber association, CookieNumber cookie, Instant now) const;
  // The reason to refuse another connection; empty: none. May end the oldest handshake to make
  // room.
  std::optional<Refusal> refuse(const UdpEndpoint& peer, bool is_new_association, Instant now);

  // Frees a connection that has ended and has nothing left to send.
  void stop_transmitting(SlotNumber number);
  // Releases the slot once its end is reported, too.
  void release_if_done(SlotNumber number);
  // What tells the end of the connection.
  EndpointEvent last_event(SlotNumber number);
  // The event of a connection that has moved since the last one. Empty: it has not.
  std::optional<PeerMoved> take_move(SlotNumber number);

  EndpointOptions options_;
  Environment* environment_;
  std::optional<Listener> listener_;
  crypto::KeyedHash hash_;

  endpoint::SlotTable slots_;
  endpoint::IdIndex ids_;
  // Of connections that have ended.
  struct EndReport {
    std::optional<Error> error;
    std::optional<ConnectionInfo> info;
    Statistics statistics;
  };
  std::unordered_map<SlotNumber, EndReport> end_reports_;
  endpoint::OwnEnds own_ends_;
  endpoint::OtherPaths other_paths_;
  // Associations at one path, from each to the other: few slots have such a neighbour.
  std::unordered_map<SlotNumber, SlotNumber> pairs_;
  std::unordered_map<SlotNumber, UdpPath> moved_from_;  // by a PeerMoved that is to be polled
  endpoint::SlotIndex by_path_;
  endpoint::TimerQueue timers_;
  endpoint::HostCounts connections_of_hosts_;
  endpoint::HostCounts half_open_of_hosts_;
  endpoint::SlotList half_open_;  // by age
  endpoint::SlotList silent_;     // by Slot::since
  endpoint::SlotList ageable_;    // by Slot::since
  using Tag = Secret<kMaxSessionTag>;
  std::unordered_map<SlotNumber, Tag> tags_;           // set_tag(), and those of restored sessions
  std::unordered_map<SlotNumber, SessionState> aged_;  // to be polled
  std::unordered_map<SlotNumber, Buffer> restored_;    // to be polled: the tags
  Instant age_again_ = Instant::min();                 // not before
  endpoint::WantedSessions wanted_;
  std::size_t size_ = 0;
  Instant now_ = Instant::min();  // of the last input
  EndpointStatistics statistics_;

  // Outputs to be polled.
  struct Reply {
    Bytes datagram;  // the Listener's
    UdpPath path;
  };
  std::optional<Reply> reply_;
  endpoint::SlotQueue<endpoint::QueueOf::events> events_;
  endpoint::SlotQueue<endpoint::QueueOf::transmits> transmits_;
  SlotNumber data_ = kNoSlot;
  // Connections whose data, received before they opened, came when their last flight was polled.
  std::vector<SlotNumber> opened_;
  bool is_opened_late_ = false;     // since the last input
  std::vector<SlotNumber> pinned_;  // by calls of apply(), the innermost last
  Buffer copy_;                     // of a datagram that two associations may have to try
  Buffer woken_;                    // the datagram that deliver_released() has delivered
  std::optional<Instant> reported_timeout_;
};

}  // namespace sluice::dtls
