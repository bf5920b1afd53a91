// The queues between the threads of a server.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/dtls/path.h>

#include "sfu/workers/directory.h"
#include "sfu/workers/message_box.h"
#include "sfu/workers/record_queue.h"
#include "sfu/workers/wake_up.h"

namespace sluice::interop::sfu {

// Between the thread of the port and a worker.
struct PortHeader {
  enum class Kind : std::uint8_t {
    datagram,  // has come; or is to be sent, over a connection of TCP
    claim,     // the worker has a session on this path
    forget,    // and has it no longer
    closed,    // the connection of this path has ended
  };
  dtls::UdpPath path;
  Kind kind = Kind::datagram;
  bool is_certain = false;  // that the path is the worker's
};

// Between two workers, about a publisher.
struct MirrorHeader {
  enum class Kind : std::uint8_t {
    packet,    // RTP of one of its layers, as the server has it
    state,     // a MovedLayer: what packets of the layer go on from
    reports,   // RTCP of the publisher
    feedback,  // RTCP to it
  };
  PublisherNumber publisher{};
  Kind kind = Kind::packet;
  std::uint8_t track = 0;
  std::uint8_t layer = 0;
};

// All queues of a server, and a WakeUp for each thread. What has no room is dropped and counted.
class Exchange {
 public:
  using PortQueue = RecordQueue<PortHeader>;
  using MirrorQueue = RecordQueue<MirrorHeader>;

  // The error says what the system does not grant. `workers`: 2 to kMaxWorkers.
  static tl::expected<std::unique_ptr<Exchange>, std::string> make(std::size_t workers);

  [[nodiscard]] std::size_t workers() const { return threads_.size() - 1; }
  WakeUp& wake_up(std::size_t worker) { return threads_[worker]->wake_up; }
  WakeUp& port_wake_up() { return threads_.back()->wake_up; }

  // From and to the thread of the port.
  PortQueue& to_worker(std::size_t worker) { return threads_[worker]->from_port; }
  PortQueue& to_port(std::size_t worker) { return threads_[worker]->to_port; }
  // `from` and `to` differ.
  MirrorQueue& between(std::size_t from, std::size_t to) { return *threads_[to]->from[from]; }

  // From other workers.
  MessageBox& messages(std::size_t worker) { return threads_[worker]->messages; }

  // A worker pushes; flush() rings for all that it has pushed to.
  bool send(std::size_t from, std::size_t to, const MirrorHeader& header, dtls::Bytes bytes);
  void flush(std::size_t from);

  // Records that were dropped since the beginning.
  struct Dropped {
    std::uint64_t datagrams = 0;  // to workers
    std::uint64_t tcp = 0;        // to connections of TCP
    std::uint64_t packets = 0;    // between workers
    std::uint64_t unknown = 0;    // datagrams of no session
  };
  [[nodiscard]] Dropped dropped() const;
  void count_unknown() { unknown_.fetch_add(1, std::memory_order_relaxed); }

 private:
  struct Thread {
    explicit Thread(udp::Descriptor descriptor) : wake_up(std::move(descriptor)) {}

    WakeUp wake_up;
    PortQueue from_port;
    PortQueue to_port;
    MessageBox messages;
    std::array<std::unique_ptr<MirrorQueue>, kMaxWorkers> from = {};
    // Of this thread alone.
    std::array<bool, kMaxWorkers> has_sent_to = {};
  };

  Exchange() = default;

  std::vector<std::unique_ptr<Thread>> threads_;  // the port's is the last
  std::atomic<std::uint64_t> unknown_ = 0;
};

}  // namespace sluice::interop::sfu
