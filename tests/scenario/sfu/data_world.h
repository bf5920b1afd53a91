// Publishers and viewers with data channels: real associations on both sides.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/data_channel/association.h>

#include "scenario/sfu/sfu_world.h"
#include "support/channel_pair.h"

namespace sluice::interop::sfu {

struct DataPeer {
  test::ChannelEnd end = {};  // with what has come
  bool has_sctp_init = false;
  bool is_started = false;
  std::size_t index = 0;  // of its Peer

  [[nodiscard]] data_channel::Association& association() { return *end.association; }
  // What has come, as texts.
  [[nodiscard]] std::vector<std::string> texts() const;
};

// How a peer's offer differs.
struct DataOffer {
  std::size_t max_message_size = 65536;
  bool has_sctp_init = false;
  // Sent as soon as there is an association, on a channel "early"; empty: nothing.
  std::string first_message = {};
};

class DataWorld : public SfuWorld {
 public:
  explicit DataWorld(SfuOptions options = {}, const Workplace& workplace = {});

  // `offer` with a data section behind its `sections` others.
  static std::string with_data(const std::string& offer, const std::string& lines = {});
  // They connect, and so do their associations.
  DataPeer& data_publisher(const DataOffer& offer = {}, const std::string& room = "room");
  DataPeer& data_viewer(const DataOffer& offer = {}, const std::string& room = "room");
  Peer& peer(const DataPeer& data) { return *peers_.at(data.index); }

  data_channel::ChannelId open(DataPeer& data, const std::string& label) {
    return open_like(data, {.label = label});
  }
  data_channel::ChannelId open_like(DataPeer& data, const data_channel::ChannelOptions& options);
  void say(DataPeer& data, data_channel::ChannelId channel, std::string_view text,
           data_channel::MessageType type = data_channel::MessageType::text);
  void close(DataPeer& data, data_channel::ChannelId channel);
  // A packet that no association has made.
  void send_packet(Peer& peer, const dtls::Buffer& packet);

  [[nodiscard]] const DataCounters& data() const { return counters().data; }
  [[nodiscard]] std::uint64_t dropped() const;  // for any reason
  // The server's side of it; null: it has ended.
  [[nodiscard]] const DataSession* session(const DataPeer& data) const;

 private:
  bool act() override;
  bool act(DataPeer& data, Peer& peer);
  DataPeer& join(const std::string& offer, const DataOffer& data, const std::string& room,
                 bool publishes);

  std::map<std::size_t, DataPeer> data_;  // by the index of the peer
};

}  // namespace sluice::interop::sfu
