// The clients of a run: set up by HTTP, and handed to workers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include <sluice/dtls/config.h>
#include <sluice/dtls/fingerprint.h>

#include "common/client/whip_client.h"
#include "load/load_run.h"
#include "load/offer.h"
#include "load/worker.h"

namespace sluice::interop::load {

class LoadMembers {
 public:
  // `options` outlive it. The error says what is wrong.
  static tl::expected<std::unique_ptr<LoadMembers>, std::string> make(const LoadOptions& options);

  // Sets up clients, LoadOptions::parallel at a time, and waits until all have their answers and
  // are connected, or have failed: at most LoadOptions::connect_timeout after the last answer.
  // False: told to stop meanwhile.
  bool join_all(bool publish, std::size_t count);
  // Until none is on its way any more. False: told to stop meanwhile.
  bool wait_connected();
  // The viewer at this place leaves, and another one comes.
  void replace_viewer(std::size_t place, WhipClient& http);
  [[nodiscard]] std::size_t viewers();
  // Of all viewers that there were.
  Traffic traffic();
  void stop_publishers();
  // Ends all clients; the report of all that there were.
  LoadReport end();

  // True: the run is to stop.
  [[nodiscard]] bool wait(dtls::Duration duration) const;

 private:
  struct Member {
    MemberId id{};
    bool publishes = false;
    std::string location = {};
  };

  LoadMembers(const LoadOptions& options, dtls::ConfigPtr dtls, dtls::Fingerprint fingerprint,
              const dtls::UdpEndpoint& own)
      : options_(options),
        dtls_(std::move(dtls)),
        fingerprint_(std::move(fingerprint)),
        own_(own) {}

  [[nodiscard]] ClientOffer make_offer(bool publishes) const;
  void join(bool publishes, WhipClient& http);
  // As far as the server has a session of it.
  tl::expected<Member, std::string> try_join(Member member, const HttpEndpoint& endpoint,
                                             WhipClient& http);
  // What both sides have agreed on.
  struct Agreed {
    Answer remote;
    decltype(Joining::role) role;
  };
  // As far as the server has a session, `location` is its URL afterwards.
  tl::expected<Agreed, std::string> negotiate(const ClientOffer& offer,
                                              const HttpEndpoint& endpoint, std::string& location,
                                              WhipClient& http) const;
  // Of the server, in place of its answer to a viewer.
  tl::expected<Agreed, std::string> answer(const CounterOffer& counter, const ClientOffer& offer,
                                           const HttpEndpoint& endpoint, WhipClient& http) const;
  tl::expected<decltype(Joining::role), std::string> role_of(const ClientOffer& offer,
                                                             const Answer& answer) const;
  [[nodiscard]] ViewerOptions viewer_options(const PayloadKinds& kinds) const;
  void remove(const Member& member, WhipClient& http);
  // For each number below `count`, LoadOptions::parallel at a time: `work` gets it and a client of
  // its own thread, and returns false to stop. False: it was stopped.
  template <class Work>
  bool in_parallel(std::size_t count, Work work);
  Worker& worker_of(MemberId id) {
    return *workers_[static_cast<std::size_t>(id) % workers_.size()];
  }

  const LoadOptions& options_;
  dtls::ConfigPtr dtls_;
  dtls::Fingerprint fingerprint_;
  dtls::UdpEndpoint own_;  // of all sockets; port 0
  std::vector<std::unique_ptr<Worker>> workers_;
  std::mutex mutex_;  // of all that follows
  std::vector<Member> publishers_;
  std::vector<Member> viewers_;
  std::uint32_t next_id_ = 0;
  std::array<std::size_t, 2> begun_ = {};  // viewers, publishers
  LoadReport report_;                      // of those that have left
};

}  // namespace sluice::interop::load
