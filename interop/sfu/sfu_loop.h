// An Sfu with its sockets, on a thread of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <tl/expected.hpp>
#include <utility>

#include <sluice/dtls/environment.h>
#include <sluice/tcp/driver.h>
#include <sluice/udp/descriptor.h>

#include "common/lite/lite_port.h"
#include "common/work_queue.h"
#include "sfu/cluster/pulled_streams.h"
#include "sfu/forwarding/media_port.h"
#include "sfu/media_threads.h"
#include "sfu/sfu.h"

namespace sluice::interop::sfu {

// The only worker.
class SfuLoop final : public MediaThreads {
 public:
  using Driver = tcp::Driver<ice_lite::IceLiteServer>;

  // As start_media().
  static tl::expected<std::unique_ptr<SfuLoop>, std::string> start(
      const LoopOptions& options, const std::optional<MovedSfu>& moved = {});

  [[nodiscard]] std::size_t workers() const override { return 1; }
  bool post(std::size_t /*worker*/, Work work) override { return work_.post(std::move(work)); }
  [[nodiscard]] std::size_t place_for(const std::string& /*room*/) const override { return 0; }
  [[nodiscard]] std::optional<std::size_t> worker_of(const std::string& /*id*/) const override {
    return 0;  // that is asked whether it has it
  }
  [[nodiscard]] std::optional<std::size_t> worker_of_stream(
      const std::string& /*room*/, const std::string& /*stream*/) const override {
    return 0;  // likewise
  }
  [[nodiscard]] PulledStreams* pulled(std::size_t /*worker*/) override {
    return pulled_ ? &*pulled_ : nullptr;
  }
  [[nodiscard]] std::optional<Exchange::Dropped> dropped() const override { return std::nullopt; }
  MovedSfu move_out() override;
  [[nodiscard]] AdoptedSockets sockets() override;

 private:
  // The driver's batch.
  class DriverOutlet final : public Outlet {
   public:
    explicit DriverOutlet(Driver& driver) : driver_(driver) {}
    dtls::MutableBytes room(std::size_t size) override { return driver_.room(size); }
    void commit(std::size_t size, const dtls::UdpPath& path) override {
      driver_.commit(size, path);
    }

   private:
    Driver& driver_;
  };

  SfuLoop(std::unique_ptr<dtls::Environment> environment, Driver driver, SfuOptions options,
          SfuIdentity identity, std::optional<PulledStreams> pulled, udp::Descriptor wake);
  void run(const std::stop_token& stop);
  void wait() const;

  std::unique_ptr<dtls::Environment> environment_;
  Driver driver_;
  DriverOutlet outlet_;
  Sfu sfu_;
  std::optional<PulledStreams> pulled_;
  common::WorkQueue<Work> work_;
  std::optional<MovedSfu> moved_;  // there: the loop ends with move_out()
  std::jthread thread_;            // the last one: it ends first
};

}  // namespace sluice::interop::sfu
