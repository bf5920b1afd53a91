#include "sfu/workers/worker.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <span>

#include <sluice/tcp/listener.h>
#include <sluice/transport/classify.h>

#include "common/clock.h"
#include "common/own_dtls.h"

namespace sluice::interop::sfu {
namespace {

// Datagrams of a turn, so that timers have their turn under load.
constexpr std::size_t kMostDatagrams = 256;

}  // namespace

// ---- what leaves

dtls::MutableBytes Worker::PortOutlet::room(std::size_t size) {
  room_ = batch_.room(size);
  if (room_.empty()) {
    flush();
    room_ = batch_.room(size);
  }
  return room_;
}

void Worker::PortOutlet::commit(std::size_t size, const dtls::UdpPath& path) {
  if (!tcp::is_connection(path)) return batch_.commit(size, path);
  workplace_.exchange->to_port(workplace_.worker).push({.path = path}, room_.first(size));
}

void Worker::PortOutlet::flush() {
  if (!batch_.empty()) socket_.send(batch_);
  batch_.clear();
}

// ---- beginning and end

tl::expected<std::unique_ptr<Worker>, std::string> Worker::make(
    const LoopOptions& options, const std::vector<ice_lite::AnnouncedAddress>& announced,
    const Workplace& workplace, udp::Socket socket) {
  auto made = dtls::Environment::make();
  if (!made) return tl::unexpected(dtls::to_string(made.error()));
  auto environment = std::make_unique<dtls::Environment>(*std::move(made));
  auto own_dtls = common::make_own_dtls(*environment, "sluice-sfu");
  if (!own_dtls) return tl::unexpected(own_dtls.error());
  auto server =
      ice_lite::IceLiteServer::make({.max_sessions = options.sfu.max_sessions}, *environment);
  if (!server) return tl::unexpected(dtls::to_string(server.error()));
  auto wake = common::WorkQueue<Work>::open();
  if (!wake) return tl::unexpected(wake.error());
  const SfuIdentity identity{.dtls = std::move(own_dtls->config),
                             .fingerprint = std::move(own_dtls->fingerprint),
                             .announced = announced};
  std::optional<PulledStreams> pulled;
  if (options.pulls) {
    auto made_pulled = PulledStreams::make(options.sfu.tracks, *environment, identity);
    if (!made_pulled) return tl::unexpected(made_pulled.error());
    pulled = *std::move(made_pulled);
  }
  return std::unique_ptr<Worker>{new Worker(std::move(environment), *std::move(server), options.sfu,
                                            identity, std::move(pulled), workplace,
                                            std::move(socket), *std::move(wake))};
}

Worker::Worker(std::unique_ptr<dtls::Environment> environment, ice_lite::IceLiteServer server,
               const SfuOptions& options, SfuIdentity identity, std::optional<PulledStreams> pulled,
               const Workplace& workplace, udp::Socket socket, udp::Descriptor wake)
    : workplace_(workplace),
      environment_(std::move(environment)),
      server_(std::move(server)),
      outlet_(workplace, std::move(socket)),
      sfu_(options, std::move(identity), server_, outlet_, workplace),
      pulled_(std::move(pulled)),
      work_(std::move(wake)) {}

void Worker::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

bool Worker::post(Work work) { return work_.post(std::move(work)); }

std::vector<dtls::UdpPath> Worker::paths() const {
  std::vector<dtls::UdpPath> all;
  for (const auto& [handle, session] : sfu_.sessions()) {
    if (const auto path = server_.path_of(handle)) all.push_back(*path);
  }
  return all;
}

// ---- the loop

bool Worker::has_next() const {
  Exchange& exchange = *workplace_.exchange;
  if (exchange.to_worker(workplace_.worker).has_next()) return true;
  for (std::size_t from = 0; from < exchange.workers(); ++from) {
    if (from == workplace_.worker) continue;
    if (exchange.between(from, workplace_.worker).has_next()) return true;
  }
  return exchange.messages(workplace_.worker).has_any() ||
         workplace_.directory->has_changes(workplace_.worker);
}

void Worker::wait() {
  if (has_more_) return;
  WakeUp& wake_up = workplace_.exchange->wake_up(workplace_.worker);
  // poll() leaves out a descriptor of -1.
  const int pulled = pulled_ ? pulled_->descriptor() : -1;
  std::array<pollfd, 3> watched{{{.fd = wake_up.descriptor(), .events = POLLIN, .revents = 0},
                                 {.fd = work_.descriptor(), .events = POLLIN, .revents = 0},
                                 {.fd = pulled, .events = POLLIN, .revents = 0}}};
  int timeout = -1;
  auto next = common::earlier(server_.next_timeout(), sfu_.next_timeout());
  if (pulled_) next = common::earlier(next, pulled_->next_timeout());
  if (next) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - common::now());
    timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }
  wake_up.prepare_wait();
  if (!has_next()) poll(watched.data(), watched.size(), timeout);
  wake_up.finish_wait(watched[0].revents != 0);
}

void Worker::settle() {
  const auto transmit = [this] {
    while (const auto next = server_.poll_transmit(outlet_.room(dtls::kMaxDatagram))) {
      outlet_.commit(next->size, next->path);
    }
  };
  transmit();
  sfu_.drain(common::now());
  transmit();
}

void Worker::drain() {
  settle();
  outlet_.flush();
  workplace_.exchange->flush(workplace_.worker);
  if (workplace_.exchange->to_port(workplace_.worker).has_unread()) {
    workplace_.exchange->port_wake_up().notify();
  }
}

void Worker::handle_batch() {
  for (std::span<const dtls::ReceivedDatagram> rest = batch_; !rest.empty();) {
    rest = rest.subspan(server_.handle_datagrams(rest, common::now()).taken);
    settle();
  }
  batch_.clear();
  claim_new_paths();
}

// A claim without room in the queue is made again at the next check.
void Worker::claim_new_paths() {
  for (const dtls::UdpPath& path : checked_) {
    if (!server_.find(path)) continue;
    workplace_.exchange->to_port(workplace_.worker)
        .push({.path = path, .kind = PortHeader::Kind::claim}, {});
  }
  checked_.clear();
}

bool Worker::take_datagrams() {
  auto& queue = workplace_.exchange->to_worker(workplace_.worker);
  std::size_t count = 0;
  for (; count < kMostDatagrams; ++count) {
    const auto record = queue.next();
    if (!record) break;
    const auto& [path, kind, is_certain] = record->header;
    if (kind == PortHeader::Kind::closed) {
      handle_batch();
      server_.path_closed(path, common::now());
      settle();
      continue;
    }
    if (!is_certain && (checked_.empty() || checked_.back() != path)) checked_.push_back(path);
    batch_.push_back({.bytes = record->bytes, .path = path});
  }
  handle_batch();
  if (count > 0) queue.release();
  return count < kMostDatagrams;
}

void Worker::turn() {
  server_.handle_timeout(common::now());
  settle();
  // First what may be about their sessions.
  has_more_ = !sfu_.take_from_workers(common::now());
  if (!take_datagrams()) has_more_ = true;
  for (const Work& each : work_.take()) each(sfu_, common::now());
  if (const auto next = sfu_.next_timeout(); next && *next <= common::now()) {
    sfu_.handle_timeout(common::now());
  }
  // Last, since feedback to other nodes may have come of all that.
  if (pulled_) pulled_->turn(sfu_);
  drain();
}

void Worker::run(const std::stop_token& stop) {
  batch_.reserve(kMostDatagrams);
  const std::stop_callback wake(stop, [this] { work_.wake(); });
  while (!stop.stop_requested()) {
    wait();
    turn();
  }
}

void Worker::end_pulled() {
  if (pulled_) pulled_->end_all(sfu_, common::now());
  drain();
}

bool Worker::finish() {
  if (!has_more_ && !has_next()) return false;
  turn();
  return true;
}

}  // namespace sluice::interop::sfu
