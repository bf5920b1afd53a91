// What the nodes of a cluster tell each other, and what a cluster is told of an Sfu.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace sluice::interop::sfu {

// The request of a node for the publisher of another one.
struct StreamRequest {
  std::string room = {};
  std::string stream = {};    // StreamOrigin::id
  std::string node = {};      // the URL of the node that asks
  std::string self = {};      // that of the node that is asked
  std::size_t max_depth = 0;  // nodes that a stream comes over at most
  std::size_t fan_out = 0;    // nodes that may pull one stream from here at a time
};

struct ClusterView {
  struct Stream {
    std::string room;
    std::string id;
    std::size_t depth = 0;  // the nodes that it has come over

    friend bool operator==(const Stream&, const Stream&) = default;
  };
  // The publishers that can be watched here, those of other nodes included.
  std::vector<Stream> streams = {};
  // Rooms with a viewer that is no node.
  std::set<std::string> watched = {};
};

}  // namespace sluice::interop::sfu
