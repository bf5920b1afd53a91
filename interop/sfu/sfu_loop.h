// An Sfu with its sockets, on a thread of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
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
#include "sfu/forwarding/outlet.h"
#include "sfu/sfu.h"

namespace sluice::interop::sfu {

struct LoopOptions {
  SfuOptions sfu = {};
  LiteOptions lite = {};
  // Publishers of other nodes can be pulled.
  bool pulls = false;
};

class SfuLoop {
 public:
  using Driver = tcp::Driver<ice_lite::IceLiteServer>;
  using Work = std::function<void(Sfu&, dtls::Instant now)>;

  // Makes a certificate, opens the port, goes on with the sessions of the process before, if there
  // are any, and begins to serve. The error says what is wrong.
  static tl::expected<std::unique_ptr<SfuLoop>, std::string> start(
      const LoopOptions& options, const std::optional<MovedSfu>& moved = {});
  // Ends all sessions: their peers get a close_notify.
  ~SfuLoop();
  SfuLoop(const SfuLoop&) = delete;
  SfuLoop& operator=(const SfuLoop&) = delete;

  // Runs `work` on the loop's thread, soon. From any thread. False: too much waits already.
  bool post(Work work) { return work_.post(std::move(work)); }

  // Those of LoopOptions::pulls, to be used in posted work; null: none.
  [[nodiscard]] PulledStreams* pulled() { return pulled_ ? &*pulled_ : nullptr; }
  [[nodiscard]] dtls::Environment& environment() { return *environment_; }
  // What the peers of the server see of it by DTLS. From any thread.
  [[nodiscard]] const SfuIdentity& identity() const { return identity_; }

  // Ends the loop without a word to the peers. What the next process goes on from; its sockets are
  // open until the end of this object.
  MovedSfu move_out();
  // To be given to another process.
  [[nodiscard]] AdoptedSockets sockets();

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
  void run();
  void end();
  void wait() const;

  std::unique_ptr<dtls::Environment> environment_;
  Driver driver_;
  DriverOutlet outlet_;
  SfuIdentity identity_;
  Sfu sfu_;
  std::optional<PulledStreams> pulled_;
  common::WorkQueue<Work> work_;
  std::atomic<bool> ends_ = false;
  std::optional<MovedSfu> moved_;  // there: the loop ends with move_out()
  std::thread thread_;
};

}  // namespace sluice::interop::sfu
