#include "sfu/sfu_loop.h"

#include <poll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include <sluice/dtls/identity.h>

#include "common/clock.h"

namespace sluice::interop::sfu {

tl::expected<std::unique_ptr<SfuLoop>, std::string> SfuLoop::start(const LoopOptions& options) {
  auto made = dtls::Environment::make();
  if (!made) return tl::unexpected(dtls::to_string(made.error()));
  auto environment = std::make_unique<dtls::Environment>(*std::move(made));
  auto identity = dtls::Identity::self_signed(*environment, "sluice-sfu");
  if (!identity) return tl::unexpected(dtls::to_string(identity.error()));
  auto fingerprint =
      dtls::Fingerprint::of(identity->certificate(), dtls::HashAlgorithm::sha256, *environment);
  if (!fingerprint) return tl::unexpected(dtls::to_string(fingerprint.error()));
  auto config = dtls::Config::make({.identities = {*std::move(identity)}});
  if (!config) return tl::unexpected(dtls::to_string(config.error()));

  auto sockets = open_sockets(options.lite, *environment);
  if (!sockets) return tl::unexpected(sockets.error());
  auto announced = announced_addresses(options.lite, sockets->udp.own().port);
  if (!announced) return tl::unexpected(announced.error());
  auto server =
      ice_lite::IceLiteServer::make({.max_sessions = options.sfu.max_sessions}, *environment);
  if (!server) return tl::unexpected(dtls::to_string(server.error()));
  auto driver = Driver::make(*std::move(server), std::move(sockets->udp), std::move(sockets->tcp));
  if (!driver) return tl::unexpected(driver.error());
  auto wake = common::WorkQueue<Work>::open();
  if (!wake) return tl::unexpected(wake.error());
  return std::unique_ptr<SfuLoop>{new SfuLoop(std::move(environment), *std::move(driver),
                                              options.sfu,
                                              {.dtls = *std::move(config),
                                               .fingerprint = *std::move(fingerprint),
                                               .announced = *std::move(announced)},
                                              *std::move(wake))};
}

SfuLoop::SfuLoop(std::unique_ptr<dtls::Environment> environment, Driver driver, SfuOptions options,
                 SfuIdentity identity, udp::Descriptor wake)
    : environment_(std::move(environment)),
      driver_(std::move(driver)),
      outlet_(driver_),
      sfu_(std::move(options), std::move(identity), driver_.server(), outlet_),
      work_(std::move(wake)),
      thread_([this] { run(); }) {}

SfuLoop::~SfuLoop() {
  ends_ = true;
  work_.wake();
  thread_.join();
}

void SfuLoop::wait() const {
  std::array<pollfd, 2> watched{{{.fd = driver_.descriptor(), .events = POLLIN, .revents = 0},
                                 {.fd = work_.descriptor(), .events = POLLIN, .revents = 0}}};
  int timeout = -1;
  if (const auto next = sfu_.next_timeout()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - common::now());
    timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }
  poll(watched.data(), watched.size(), timeout);
}

void SfuLoop::run() {
  const auto drain = [this] { sfu_.drain(common::now()); };
  while (!ends_) {
    wait();
    driver_.turn(drain);
    for (const Work& each : work_.take()) each(sfu_, common::now());
    if (const auto next = sfu_.next_timeout(); next && *next <= common::now()) {
      sfu_.handle_timeout(common::now());
    }
    driver_.drain(drain);
  }
  sfu_.end_all(common::now());
  driver_.drain(drain);
}

}  // namespace sluice::interop::sfu
