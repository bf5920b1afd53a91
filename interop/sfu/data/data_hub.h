// Data channels: what a session sends goes to all others of its room.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <sluice/data_channel/event.h>

#include "common/sdp/sdp_offer.h"
#include "sfu/data/data_session.h"
#include "sfu/data/room_data.h"
#include "sfu/forwarding/media_port.h"
#include "sfu/workers/data_bridge.h"

namespace sluice::interop::sfu {

struct DataLimits {
  std::size_t messages_per_second = 50;  // of one session; as many at once
  // SCTP packets that messages of a room's sessions become, see DataHub; as many at once.
  // Each takes some 10 us, and media waits for all packets of a message. A room with more members
  // may have as many packets as one small message becomes.
  std::size_t room_packets_per_second = 5'000;
  std::size_t server_packets_per_second = 20'000;  // of all rooms; likewise
};

// The rule:
//   * A message goes to every other session of the room, publisher or viewer, that has offered data
//     channels and has an association: on its channel with the same label, text as text and binary
//     as binary. Where it has none, the server opens one with the order, the reliability and the
//     protocol of the sender's.
//   * A label lives while a peer has a channel with it. Then the server closes those that it has
//     opened. A channel that a peer opens replaces the one that the server has opened to it.
//   * Nothing is kept: who comes later gets what is sent from then on.
//
// What is above a limit is dropped and counted (DataDrop); the session goes on. The limits of a
// session are in data_session.h. A receiver that is slow has kMaxDataBuffered twice and loses what
// comes then; no other receiver waits for it.
//
// The work for a message is that of its packets to the others of the room. A room and the server
// have a budget of them for a second, from which all packets of a message are taken first. The
// first message with a label counts two packets more for each receiver, since the server may have
// to open a channel. So of one peer that sends all it may to 1,000 viewers, 5 small messages a
// second are relayed. However many are in a room, one small message a second passes: a budget that
// is smaller than that counts as so large.
//
// A room may be on several workers. Each has a budget for its own sessions.
class DataHub {
 public:
  // `port`, `counters` and `bridge` outlive it; null: there are no other workers.
  DataHub(DataLimits limits, MediaPort& port, DataCounters& counters, DataBridge* bridge = nullptr)
      : limits_(limits), port_(port), counters_(counters), bridge_(bridge) {}

  // Null: the offer has no data channels. `room` outlives the result.
  std::unique_ptr<DataSession> join(ice_lite::SessionHandle session, const Offer& offer,
                                    dtls::Role own_role, RoomData& room, dtls::Instant now);
  // Goes on from that of another process.
  std::unique_ptr<DataSession> restore(ice_lite::SessionHandle session, const MovedData& moved,
                                       RoomData& room, dtls::Instant now);
  // Before the session ends.
  void leave(DataSession& session, dtls::Instant now);

  // When DTLS is connected.
  void start(DataSession& session, dtls::Instant now);
  // `session`: null, since the one that the packet is of has none.
  void handle_packet(DataSession* session, dtls::Bytes packet, dtls::Instant now);
  // To be called for each session at every tick.
  void handle_timeout(DataSession& session, dtls::Instant now);

  // ---- the other workers

  // A message from there.
  void take(RoomData& room, const CrossedMessage& message, dtls::Instant now);
  // Labels may have ended there.
  void sync(RoomData& room, dtls::Instant now);

 private:
  void drop(DataDrop why) { counters_.count(why); }
  // Takes the outputs of an association.
  void drain(DataSession& session, dtls::Instant now);
  void send_packets(DataSession& session);
  void on_event(DataSession& session, const data_channel::Event& event, dtls::Instant now);
  void relay(DataSession& from, const data_channel::MessageReceived& message, dtls::Instant now);
  // To the members of this worker, but `from`. False: above the budget.
  bool distribute(RoomData& room, RoomData::Label& label, const DataSession* from,
                  const data_channel::ChannelOptions& channel, data_channel::MessageType type,
                  dtls::Bytes data, dtls::Instant now);
  void close_label(RoomData& room, const std::string& label, dtls::Instant now);
  void end(DataSession& session, dtls::Instant now);
  // A channel that a peer had opened is gone.
  void release(RoomData& room, const std::string& label, dtls::Instant now);

  DataLimits limits_;
  MediaPort& port_;
  DataCounters& counters_;
  DataBridge* bridge_;
  RateBudget packets_;
};

}  // namespace sluice::interop::sfu
