// A server with several workers: the thread of the port, and the workers with their sessions.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/dtls/environment.h>

#include "sfu/media_threads.h"
#include "sfu/workers/directory.h"
#include "sfu/workers/exchange.h"
#include "sfu/workers/port_thread.h"
#include "sfu/workers/worker.h"

namespace sluice::interop::sfu {

// A session is made on one worker and stays there. One socket of UDP serves all: the thread of the
// port reads it, all workers send by it.
class Workers final : public MediaThreads {
 public:
  // As start_media(); LoopOptions::threads is 2 to kMaxWorkers.
  static tl::expected<std::unique_ptr<Workers>, std::string> start(
      const LoopOptions& options, const std::optional<MovedSfu>& moved = {});
  ~Workers() override;

  [[nodiscard]] std::size_t workers() const override { return workers_.size(); }
  bool post(std::size_t worker, Work work) override {
    return workers_.at(worker)->post(std::move(work));
  }
  [[nodiscard]] std::size_t place_for(const std::string& room) const override {
    return directory_.place_for(room);
  }
  [[nodiscard]] std::optional<std::size_t> worker_of(const std::string& id) const override {
    return directory_.worker_of_session(id);
  }
  [[nodiscard]] std::optional<std::size_t> worker_of_stream(
      const std::string& room, const std::string& stream) const override {
    return directory_.worker_of_stream(room, stream);
  }
  [[nodiscard]] PulledStreams* pulled(std::size_t worker) override {
    return workers_.at(worker)->pulled();
  }
  [[nodiscard]] std::optional<Exchange::Dropped> dropped() const override {
    return exchange_->dropped();
  }
  MovedSfu move_out() override;
  [[nodiscard]] AdoptedSockets sockets() override { return port_->sockets(); }

 private:
  Workers(const LoopOptions& options, std::unique_ptr<Exchange> exchange);

  tl::expected<void, std::string> open(const LoopOptions& options);
  void move_in(const MovedSfu& moved);
  // All threads; then what is under way between them is taken here.
  void stop();

  // Of the listener.
  std::unique_ptr<dtls::Environment> environment_;
  std::unique_ptr<Exchange> exchange_;
  Directory directory_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<PortThread> port_;
  bool is_stopped_ = false;
};

}  // namespace sluice::interop::sfu
