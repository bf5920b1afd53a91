#include "sfu/sfu_loop.h"

#include <poll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include "common/clock.h"
#include "common/own_dtls.h"

namespace sluice::interop::sfu {

tl::expected<std::unique_ptr<SfuLoop>, std::string> SfuLoop::start(
    const LoopOptions& options, const std::optional<MovedSfu>& moved) {
  auto made = dtls::Environment::make();
  if (!made) return tl::unexpected(dtls::to_string(made.error()));
  auto environment = std::make_unique<dtls::Environment>(*std::move(made));
  auto own_dtls = common::make_own_dtls(*environment, "sluice-sfu");
  if (!own_dtls) return tl::unexpected(own_dtls.error());

  auto sockets = open_sockets(options.lite, *environment);
  if (!sockets) return tl::unexpected(sockets.error());
  auto announced = announced_addresses(options.lite, sockets->udp.own().port);
  if (!announced) return tl::unexpected(announced.error());
  auto server =
      ice_lite::IceLiteServer::make({.max_sessions = options.sfu.max_sessions}, *environment);
  if (!server) return tl::unexpected(dtls::to_string(server.error()));
  auto driver = Driver::make(*std::move(server), std::move(sockets->udp), std::move(sockets->tcp));
  if (!driver) return tl::unexpected(driver.error());
  const SfuIdentity identity{.dtls = std::move(own_dtls->config),
                             .fingerprint = std::move(own_dtls->fingerprint),
                             .announced = *std::move(announced)};
  std::optional<PulledStreams> pulled;
  if (options.pulls) {
    auto made_pulled = PulledStreams::make(options.sfu.tracks, *environment, identity);
    if (!made_pulled) return tl::unexpected(made_pulled.error());
    pulled = *std::move(made_pulled);
  }
  auto wake = common::WorkQueue<Work>::open();
  if (!wake) return tl::unexpected(wake.error());
  std::unique_ptr<SfuLoop> loop{new SfuLoop(std::move(environment), *std::move(driver), options.sfu,
                                            identity, std::move(pulled), *std::move(wake))};
  if (moved) loop->sfu_.move_in(*moved, common::since(moved->left_at), common::now());
  loop->thread_ =
      std::jthread([&started = *loop](const std::stop_token& stop) { started.run(stop); });
  return loop;
}

SfuLoop::SfuLoop(std::unique_ptr<dtls::Environment> environment, Driver driver, SfuOptions options,
                 SfuIdentity identity, std::optional<PulledStreams> pulled, udp::Descriptor wake)
    : environment_(std::move(environment)),
      driver_(std::move(driver)),
      outlet_(driver_),
      sfu_(std::move(options), std::move(identity), driver_.server(), outlet_),
      pulled_(std::move(pulled)),
      work_(std::move(wake)) {}

MovedSfu SfuLoop::move_out() {
  moved_.emplace();  // seen with the request to stop
  thread_ = {};
  moved_->left_at = common::system_time();
  return *std::move(moved_);
}

AdoptedSockets SfuLoop::sockets() {
  return {.udp = driver_.socket().descriptor(), .tcp = driver_.listener().listening()};
}

void SfuLoop::wait() const {
  // poll() leaves out a descriptor of -1.
  const int pulled = pulled_ ? pulled_->descriptor() : -1;
  std::array<pollfd, 3> watched{{{.fd = driver_.descriptor(), .events = POLLIN, .revents = 0},
                                 {.fd = work_.descriptor(), .events = POLLIN, .revents = 0},
                                 {.fd = pulled, .events = POLLIN, .revents = 0}}};
  int timeout = -1;
  if (const auto next =
          common::earlier(sfu_.next_timeout(), pulled_ ? pulled_->next_timeout() : std::nullopt)) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - common::now());
    timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }
  poll(watched.data(), watched.size(), timeout);
}

void SfuLoop::run(const std::stop_token& stop) {
  const auto drain = [this] { sfu_.drain(common::now()); };
  const std::stop_callback wake(stop, [this] { work_.wake(); });
  while (!stop.stop_requested()) {
    wait();
    driver_.turn(drain);
    for (const Work& each : work_.take()) each(sfu_, common::now());
    if (const auto next = sfu_.next_timeout(); next && *next <= common::now()) {
      sfu_.handle_timeout(common::now());
    }
    if (pulled_) pulled_->turn(sfu_);
    driver_.drain(drain);
  }
  // They stay here: the next process pulls them again.
  if (pulled_) pulled_->end_all(sfu_, common::now());
  if (moved_) {
    // What has come by now is taken here.
    driver_.turn(drain);
    moved_ = sfu_.move_out(common::now());
  } else {
    sfu_.end_all(common::now());
  }
  driver_.drain(drain);
}

}  // namespace sluice::interop::sfu
