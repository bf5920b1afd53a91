// The data channels of one session: its association, and its channels by their labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/data_channel/association.h>
#include <sluice/ice_lite/session.h>

#include "common/sdp/sdp_offer.h"
#include "sfu/data/data_counters.h"
#include "sfu/rate_budget.h"

namespace sluice::interop::sfu {

struct RoomData;

// The largest message in bytes: own a=max-message-size.
inline constexpr std::size_t kMaxDataMessage = 65536;
// Channels that the peer has opened, and as many that the server has opened to it.
inline constexpr std::size_t kMaxDataChannels = 8;
// Bytes of a label, and of the name of a protocol.
inline constexpr std::size_t kMaxDataLabel = 128;
// Bytes of messages that the peer has not acknowledged, and as many again that wait for them.
inline constexpr std::size_t kMaxDataBuffered = 65536;
// Of SCTP: twice kMaxDataChannels for each side, since a stream that is being closed is not free.
inline constexpr std::uint16_t kDataStreams = 4 * kMaxDataChannels;

// What the data channels of a session go on from in another process. SCTP can't export an
// association: a new one restarts that of the peer (RFC 9260 section 5.2), whose channels stay
// open, without what was under way.
struct MovedData {
  struct Channel {
    data_channel::ChannelId id{};
    data_channel::ChannelOptions options = {};
    bool is_own = false;  // the server has opened it
  };
  dtls::Role role = dtls::Role::server;  // the server's
  std::uint16_t port = 0;                // of both sides
  std::uint64_t max_message_size = 0;    // the peer's limit
  std::vector<Channel> channels = {};
};

// Some 30 kB while the association lives. DataHub has the rules.
class DataSession {
 public:
  // `room` outlives it. The association begins with start(); where the offer has a=sctp-init, it is
  // made at once, to answer that.
  DataSession(ice_lite::SessionHandle session, const OfferedSection& section, dtls::Role own_role,
              RoomData& room, dtls::Instant now);

  // Goes on with what was open, and begins at once: DTLS is connected.
  DataSession(ice_lite::SessionHandle session, const MovedData& moved, RoomData& room,
              dtls::Instant now);
  // Empty: it has ended.
  [[nodiscard]] std::optional<MovedData> moved() const;

  [[nodiscard]] ice_lite::SessionHandle session() const { return session_; }
  [[nodiscard]] RoomData& room() const { return room_; }
  // For a=sctp-init of the answer; empty: none.
  [[nodiscard]] dtls::Bytes local_init() const;

  // ---- the association

  // When DTLS is connected. Later calls do nothing.
  void start(dtls::Instant now);
  // Starts it, too: the peer's first packet may come before Connected is polled.
  std::optional<DataDrop> handle_packet(dtls::Bytes packet, dtls::Instant now);
  // Runs the timers, if they are due. False: they are not.
  bool handle_timeout(dtls::Instant now);
  std::optional<data_channel::Event> poll_event();
  std::optional<dtls::Bytes> poll_transmit();
  // Frees it. The labels of the channels that the peer had opened.
  std::vector<std::string> end();

  void on_established() { is_established_ = true; }
  [[nodiscard]] bool is_established() const { return is_established_; }

  // ---- channels

  // Of the peer. It replaces the one that the server has opened with this label.
  std::optional<DataDrop> on_opened(const data_channel::ChannelOpened& opened, dtls::Instant now);
  // The label, if the peer had opened it.
  std::optional<std::string> on_closed(data_channel::ChannelId id);
  // Null: it was refused.
  [[nodiscard]] const data_channel::ChannelOptions* find(data_channel::ChannelId id) const;
  // Sends on the channel with the label of `channel`, and opens one like it where there is none.
  std::optional<DataDrop> send(const data_channel::ChannelOptions& channel,
                               data_channel::MessageType type, dtls::Bytes data, dtls::Instant now);
  // Closes the channel that the server has opened with this label. False: there is none.
  bool close_own(std::string_view label, dtls::Instant now);

  // ---- state

  RateBudget messages;  // that are received
  [[nodiscard]] std::size_t channels() const { return channels_.size(); }
  // waiting (for DTLS), connecting, established, ended
  [[nodiscard]] std::string_view state() const;
  // Empty before start() and after end().
  [[nodiscard]] data_channel::Statistics statistics() const;

 private:
  struct Channel {
    data_channel::ChannelOptions options = {};
    bool is_own = false;      // the server has opened it
    bool is_closing = false;  // by the server
  };

  void make_association(bool waits, dtls::Instant now);
  [[nodiscard]] std::size_t count(bool is_own) const;
  std::optional<data_channel::ChannelId> channel_like(const data_channel::ChannelOptions& channel,
                                                      dtls::Instant now);

  ice_lite::SessionHandle session_;
  RoomData& room_;
  data_channel::Options options_;
  dtls::Buffer peer_init_;  // of a=sctp-init
  std::optional<data_channel::Association> association_;
  bool is_started_ = false;
  bool is_established_ = false;
  std::map<data_channel::ChannelId, Channel> channels_;
  std::optional<dtls::Instant> due_;  // of the timers; empty: nothing waits for them
};

}  // namespace sluice::interop::sfu
