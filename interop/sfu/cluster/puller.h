// Pulls a publisher from another node, as a WHEP client of it. Blocks.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "sfu/cluster/node_url.h"
#include "sfu/cluster/stream_registry.h"
#include "sfu/media_threads.h"

namespace sluice::interop::sfu {

// The request says by it which node asks, and the answer over which nodes the stream has come to
// that one.
inline constexpr const char* kNodeField = "Sluice-Node";
inline constexpr const char* kPathField = "Sluice-Path";

struct PullerOptions {
  std::string node = {};     // the URL of this one
  std::string token = {};    // bearer token of the other ones
  std::string ca_file = {};  // PEM file with the certificates of nodes with https
  NodeNetworks networks = {};
  std::size_t max_depth = 3;
};

// From any thread, several at a time. `media` outlives it and has LoopOptions::pulls.
class Puller {
 public:
  Puller(PullerOptions options, MediaThreads& media)
      : options_(std::move(options)), media_(media) {}

  // Asks the nodes of these entries one after the other. The node that gives the stream; the error
  // says why the last one does not. `end` ends a request that is under way.
  tl::expected<std::string, std::string> pull(const std::string& room,
                                              const std::vector<StreamEntry>& entries,
                                              const std::stop_token& end) const;

 private:
  // The streams of a room are pulled by one worker, always the same: so it sees which it has
  // already. Viewers are made where a room is (Directory::place_for()), so that small rooms stay
  // there.
  [[nodiscard]] std::size_t worker_for(const std::string& room) const {
    return std::hash<std::string>{}(room) % media_.workers();
  }
  tl::expected<void, std::string> pull_from(const std::string& room, const StreamEntry& entry,
                                            const std::stop_token& end) const;
  // Gives what the node has answered to the worker.
  tl::expected<void, std::string> begin(const std::string& room, const StreamEntry& entry,
                                        const PostedOffer& posted, const ice_lite::Credentials& ice,
                                        udp::Socket socket) const;

  PullerOptions options_;
  MediaThreads& media_;
};

}  // namespace sluice::interop::sfu
