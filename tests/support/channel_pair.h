// Two associations with data channels on a lossy link in virtual time.
#pragma once

#include <sluice/data_channel/association.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace sluice::test {

struct LinkConditions {
  double loss = 0;                                       // probability, each direction
  double duplicate = 0;                                  // probability
  dtls::Duration delay = std::chrono::milliseconds{20};  // one way
  dtls::Duration jitter{};  // added to the delay, uniformly: more than 0 reorders
};

// One end, with all that it has told.
struct ChannelEnd {
  struct Message {
    data_channel::ChannelId id;
    data_channel::MessageType type;
    dtls::Buffer data;

    friend bool operator==(const Message&, const Message&) = default;
  };

  std::optional<data_channel::Association> association;
  bool reads = true;  // false: events are not polled

  bool established = false;
  std::vector<data_channel::ChannelOpened> opened;
  std::vector<data_channel::ChannelId> acknowledged;
  std::vector<data_channel::ChannelId> closed_channels;
  std::vector<data_channel::ChannelId> low;
  std::vector<Message> messages;
  std::optional<data_channel::CloseReason> closed;
  std::size_t largest_packet = 0;
  std::size_t packets = 0;  // sent

  void take_events();
};

// The client opens channels with even IDs, the server with odd ones. All chance comes from the
// seed.
class ChannelPair {
 public:
  explicit ChannelPair(const LinkConditions& conditions = {}, std::uint64_t seed = 1,
                       data_channel::Options client_options = {},
                       data_channel::Options server_options = {});

  [[nodiscard]] data_channel::Association& client() { return *ends[0].association; }
  [[nodiscard]] data_channel::Association& server() { return *ends[1].association; }
  [[nodiscard]] dtls::Instant now() const { return now_; }
  void set_conditions(const LinkConditions& conditions) { conditions_ = conditions; }

  // Runs until `done`, or until nothing is left to happen, or `limit` has passed. Returns done().
  bool run_until(const std::function<bool()>& done,
                 dtls::Duration limit = std::chrono::seconds{120});
  void run_for(dtls::Duration duration);
  bool establish();

  // The packet does not arrive if this returns true. Comes before loss by chance.
  std::function<bool(std::size_t sender, dtls::Bytes packet)> drop;

  std::array<ChannelEnd, 2> ends;  // client, server

 private:
  struct InFlight {
    std::size_t receiver;
    dtls::Buffer packet;
  };

  void take_outputs(std::size_t end);
  void put_on_its_way(std::size_t sender, dtls::Bytes packet);
  bool happens(double probability) {
    return std::uniform_real_distribution<>(0, 1)(random_) < probability;
  }
  void move_to(dtls::Instant time);
  bool step(dtls::Instant limit);

  LinkConditions conditions_;
  std::mt19937_64 random_;
  dtls::Instant now_{};
  std::multimap<dtls::Instant, InFlight> in_flight_;
};

}  // namespace sluice::test
