// A media server with publishers and viewers of sluice-load, in virtual time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/client/client_ice.h"
#include "load/offer.h"
#include "load/publisher.h"
#include "load/viewer.h"
#include "scenario/sfu/sfu_world.h"

namespace sluice::interop::load {

struct WatchOptions {
  std::size_t seats = 1;
  bool has_audio = false;
  bool has_nack = false;
};

class LoadWorld {
 public:
  explicit LoadWorld(const sfu::SfuOptions& options = {});

  // Joins, and is connected. `sources`: one for each section.
  Publisher& publish(const std::vector<SourceOptions>& sources = {SourceOptions{}});
  Viewer& watch(const WatchOptions& options = {});
  // The session of a client at the server.
  [[nodiscard]] const std::string& id_of(const Client& client) const;
  // It vanishes.
  void remove(const Client& client);

  void run_for(dtls::Duration duration);
  // What all publishers have sent.
  [[nodiscard]] SentPackets sent() const;

  // Called for each datagram from the server to a client; true: it is lost.
  std::function<bool(const Client& client, dtls::Bytes bytes)> loses = {};
  // The same in the other direction.
  std::function<bool(const Client& client, dtls::Bytes bytes)> loses_to_server = {};
  bool is_cut = false;        // nothing arrives anywhere
  dtls::Duration delay = {};  // from the server to clients

 private:
  struct Place {
    std::string id;
    std::unique_ptr<Client> client;
    Publisher* publisher = nullptr;
  };
  struct UnderWay {
    dtls::Instant due;
    std::size_t place;
    dtls::Buffer bytes;
  };

  MediaSession join(const ClientOffer& offer, const sfu::CreateResult& created);
  ClientOffer make_offer(bool publishes, std::vector<OfferedStream> streams) const;
  void add(std::unique_ptr<Client> client, Publisher* publisher);
  void settle();
  bool deliver();

 public:
  sfu::SfuWorld world;

 private:
  dtls::ConfigPtr dtls_ = test::make_config();
  std::string joining_id_;
  std::vector<Place> places_;  // the address of each has its index
  std::vector<UnderWay> under_way_;
};

}  // namespace sluice::interop::load
