// One of several workers: an Sfu with a part of the sessions, on a thread of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include <sluice/dtls/environment.h>
#include <sluice/udp/descriptor.h>
#include <sluice/udp/send_batch.h>
#include <sluice/udp/socket.h>

#include "common/work_queue.h"
#include "sfu/cluster/pulled_streams.h"
#include "sfu/forwarding/media_port.h"
#include "sfu/media_threads.h"
#include "sfu/workers/exchange.h"

namespace sluice::interop::sfu {

class Worker {
 public:
  using Work = MediaThreads::Work;

  // What it sends by is a socket of the port, which it does not read. The error says what is wrong.
  static tl::expected<std::unique_ptr<Worker>, std::string> make(
      const LoopOptions& options, const std::vector<ice_lite::AnnouncedAddress>& announced,
      const Workplace& workplace, udp::Socket socket);
  // stop()
  ~Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start();
  void stop() { thread_ = {}; }
  // From any thread.
  bool post(Work work);
  [[nodiscard]] PulledStreams* pulled() { return pulled_ ? &*pulled_ : nullptr; }

  // ---- while the thread does not run

  [[nodiscard]] Sfu& sfu() { return sfu_; }
  // Of all sessions that have one: of those that were moved in.
  [[nodiscard]] std::vector<dtls::UdpPath> paths() const;
  // They stay on their nodes: the next process pulls them again.
  void end_pulled();
  // Takes what has come in its queues by now. False: nothing.
  bool finish();
  // Sends what the Sfu has left to be sent.
  void drain();

 private:
  // Datagrams for connections of TCP leave by the thread of the port, all others from here.
  class PortOutlet final : public Outlet {
   public:
    PortOutlet(const Workplace& workplace, udp::Socket socket)
        : workplace_(workplace), socket_(std::move(socket)) {}
    dtls::MutableBytes room(std::size_t size) override;
    void commit(std::size_t size, const dtls::UdpPath& path) override;
    void flush();

   private:
    Workplace workplace_;
    udp::Socket socket_;
    udp::SendBatch batch_;
    dtls::MutableBytes room_;  // the last one
  };

  Worker(std::unique_ptr<dtls::Environment> environment, ice_lite::IceLiteServer server,
         const SfuOptions& options, SfuIdentity identity, std::optional<PulledStreams> pulled,
         const Workplace& workplace, udp::Socket socket, udp::Descriptor wake);

  void run(const std::stop_token& stop);
  void wait();
  [[nodiscard]] bool has_next() const;
  void turn();
  // False: more waits.
  bool take_datagrams();
  void handle_batch();
  void claim_new_paths();
  void settle();

  Workplace workplace_;
  std::unique_ptr<dtls::Environment> environment_;
  ice_lite::IceLiteServer server_;
  PortOutlet outlet_;
  Sfu sfu_;
  std::optional<PulledStreams> pulled_;
  common::WorkQueue<Work> work_;
  std::vector<dtls::ReceivedDatagram> batch_;
  std::vector<dtls::UdpPath> checked_;  // paths that are not the worker's yet
  bool has_more_ = false;               // after a turn
  std::jthread thread_;                 // the last one: it ends first
};

}  // namespace sluice::interop::sfu
