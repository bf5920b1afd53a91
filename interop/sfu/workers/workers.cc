#include "sfu/workers/workers.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "common/clock.h"
#include "common/lite/lite_port.h"
#include "sfu/workers/joined_moves.h"

namespace sluice::interop::sfu {
namespace {

// Paths that the thread of the port remembers: as many as ice_lite allows a session. Sessions that
// move in have one each, and each of kMaxWorkers takes `max_sessions` of them at most.
constexpr std::size_t kPathsOfSession = 16;
static_assert(kPathsOfSession >= kMaxWorkers);

// Another descriptor of the port's socket, to send by. What it would read into is never used, and
// so it is the same for all workers.
tl::expected<udp::Socket, std::string> sending_socket(
    const udp::Socket& port, const std::shared_ptr<udp::ReceiveBuffer>& unused) {
  const int descriptor = fcntl(port.descriptor(), F_DUPFD_CLOEXEC, 0);
  if (descriptor < 0) return tl::unexpected<std::string>("fcntl failed");
  return udp::Socket::adopt(descriptor, {.shared_buffer = unused});
}

}  // namespace

Workers::Workers(const LoopOptions& options, std::unique_ptr<Exchange> exchange)
    : exchange_(std::move(exchange)),
      directory_(limits_of(options.sfu), options.threads,
                 [this](std::size_t worker) { exchange_->wake_up(worker).notify(); }) {}

tl::expected<std::unique_ptr<Workers>, std::string> Workers::start(
    const LoopOptions& options, const std::optional<MovedSfu>& moved) {
  auto exchange = Exchange::make(options.threads);
  if (!exchange) return tl::unexpected(exchange.error());
  std::unique_ptr<Workers> made{new Workers(options, *std::move(exchange))};
  if (const auto opened = made->open(options); !opened) return tl::unexpected(opened.error());
  if (moved) made->move_in(*moved);
  for (const auto& worker : made->workers_) worker->start();
  made->port_->start();
  return made;
}

tl::expected<void, std::string> Workers::open(const LoopOptions& options) {
  auto environment = dtls::Environment::make();
  if (!environment) return tl::unexpected(dtls::to_string(environment.error()));
  environment_ = std::make_unique<dtls::Environment>(*std::move(environment));
  auto sockets = open_sockets(options.lite, *environment_);
  if (!sockets) return tl::unexpected(sockets.error());
  const auto announced = announced_addresses(options.lite, sockets->udp.own().port);
  if (!announced) return tl::unexpected(announced.error());
  const auto unused = std::make_shared<udp::ReceiveBuffer>();
  for (std::size_t number = 0; number < options.threads; ++number) {
    auto socket = sending_socket(sockets->udp, unused);
    if (!socket) return tl::unexpected(socket.error());
    auto worker =
        Worker::make(options, *announced,
                     {.directory = &directory_, .exchange = exchange_.get(), .worker = number},
                     *std::move(socket));
    if (!worker) return tl::unexpected(worker.error());
    workers_.push_back(*std::move(worker));
  }
  auto driver = PortThread::Driver::make(
      Steering(directory_, *exchange_, kPathsOfSession * options.sfu.max_sessions),
      std::move(sockets->udp), std::move(sockets->tcp));
  if (!driver) return tl::unexpected(driver.error());
  port_ = std::make_unique<PortThread>(*std::move(driver), *exchange_);
  return {};
}

Workers::~Workers() {
  stop();
  for (const auto& worker : workers_) {
    worker->sfu().end_all(common::now());
    worker->drain();
  }
  if (port_) port_->take_from_workers();
}

// The thread of the port first, so that nothing more comes in. Once: what move_out() has left has
// no rooms any more.
void Workers::stop() {
  if (std::exchange(is_stopped_, true)) return;
  if (port_) port_->stop();
  for (const auto& worker : workers_) worker->stop();
  for (const auto& worker : workers_) worker->end_pulled();
  for (bool is_busy = true; is_busy;) {
    is_busy = false;
    for (const auto& worker : workers_) is_busy |= worker->finish();
  }
}

// ---- the next process

MovedSfu Workers::move_out() {
  stop();
  std::vector<MovedSfu> parts;
  for (const auto& worker : workers_) {
    parts.push_back(worker->sfu().move_out(common::now()));
    worker->drain();
  }
  port_->take_from_workers();
  MovedSfu moved = join_moves(std::move(parts));
  moved.left_at = common::system_time();
  return moved;
}

void Workers::move_in(const MovedSfu& moved) {
  std::vector<Sfu*> all;
  all.reserve(workers_.size());
  for (const auto& worker : workers_) all.push_back(&worker->sfu());
  sfu::move_in(
      moved, common::since(moved.left_at), all,
      [this](const MovedSession& each) { return directory_.place_for(each.room); }, common::now());
  // Not by the queues: they have no room for those of 14,000 sessions.
  for (std::size_t number = 0; number < workers_.size(); ++number) {
    for (const dtls::UdpPath& path : workers_[number]->paths()) port_->claim(path, number);
    workers_[number]->drain();
  }
  port_->take_from_workers();
}

}  // namespace sluice::interop::sfu
