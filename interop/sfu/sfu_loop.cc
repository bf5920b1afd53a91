#include "sfu/sfu_loop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include <sluice/dtls/identity.h>

#include "common/clock.h"

namespace sluice::interop::sfu {

tl::expected<std::unique_ptr<SfuLoop>, std::string> SfuLoop::start(
    const LoopOptions& options, const std::optional<MovedSfu>& moved) {
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
  udp::Descriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.is_open()) return tl::unexpected<std::string>("eventfd failed");
  std::unique_ptr<SfuLoop> loop{new SfuLoop(std::move(environment), *std::move(driver), options.sfu,
                                            {.dtls = *std::move(config),
                                             .fingerprint = *std::move(fingerprint),
                                             .announced = *std::move(announced)},
                                            std::move(wake))};
  if (moved) loop->sfu_.move_in(*moved, common::since(moved->left_at), common::now());
  loop->thread_ = std::thread([&started = *loop] { started.run(); });
  return loop;
}

SfuLoop::SfuLoop(std::unique_ptr<dtls::Environment> environment, Driver driver, SfuOptions options,
                 SfuIdentity identity, udp::Descriptor wake)
    : environment_(std::move(environment)),
      driver_(std::move(driver)),
      outlet_(driver_),
      sfu_(std::move(options), std::move(identity), driver_.server(), outlet_),
      wake_(std::move(wake)) {}

SfuLoop::~SfuLoop() { end(); }

void SfuLoop::end() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    ends_ = true;
  }
  wake();
  thread_.join();
}

MovedSfu SfuLoop::move_out() {
  {
    const std::scoped_lock lock(mutex_);
    moved_.emplace();
  }
  end();
  moved_->left_at = common::system_time();
  return *std::move(moved_);
}

AdoptedSockets SfuLoop::sockets() {
  return {.udp = driver_.socket().descriptor(), .tcp = driver_.listener().listening()};
}

void SfuLoop::wake() const {
  const std::uint64_t one = 1;
  // It fails only where the number is at its end: then the descriptor is readable.
  [[maybe_unused]] const auto written = write(wake_.number(), &one, sizeof one);
}

bool SfuLoop::post(Work work) {
  {
    const std::scoped_lock lock(mutex_);
    if (posted_.size() == kMaxPosted) return false;
    posted_.push_back(std::move(work));
  }
  wake();
  return true;
}

void SfuLoop::wait() const {
  std::array<pollfd, 2> watched{{{.fd = driver_.descriptor(), .events = POLLIN, .revents = 0},
                                 {.fd = wake_.number(), .events = POLLIN, .revents = 0}}};
  int timeout = -1;
  if (const auto next = sfu_.next_timeout()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - common::now());
    timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }
  poll(watched.data(), watched.size(), timeout);
}

void SfuLoop::run_posted() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = read(wake_.number(), &count, sizeof count);
  std::vector<Work> work;
  {
    const std::scoped_lock lock(mutex_);
    work.swap(posted_);
  }
  for (const Work& each : work) each(sfu_, common::now());
}

void SfuLoop::run() {
  const auto drain = [this] { sfu_.drain(common::now()); };
  for (bool ends = false; !ends;) {
    wait();
    driver_.turn(drain);
    run_posted();
    if (const auto next = sfu_.next_timeout(); next && *next <= common::now()) {
      sfu_.handle_timeout(common::now());
    }
    driver_.drain(drain);
    const std::scoped_lock lock(mutex_);
    ends = ends_;
  }
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
