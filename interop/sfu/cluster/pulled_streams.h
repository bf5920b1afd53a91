// The publishers that a node has from others, with their sockets: a part of a worker's loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include <sluice/dtls/environment.h>
#include <sluice/udp/descriptor.h>
#include <sluice/udp/send_batch.h>
#include <sluice/udp/socket.h>

#include "sfu/cluster/upstream.h"

namespace sluice::interop::sfu {

// Those of one worker, used on its thread. Before its end: end_all().
class PulledStreams {
 public:
  // At a time; further ones are refused.
  static constexpr std::size_t kMost = 256;
  // A publisher that nobody wants any more ends after this time.
  static constexpr std::chrono::seconds kLinger{10};

  // `environment` outlives it, and is that of the worker's thread. `identity`: what the peers of
  // the worker see of it by DTLS. The error names the system call that failed.
  static tl::expected<PulledStreams, std::string> make(const TrackOptions& options,
                                                       dtls::Environment& environment,
                                                       SfuIdentity identity);

  // ---- from any thread

  [[nodiscard]] const SfuIdentity& identity() const { return identity_; }
  // Of the sockets of streams, which all read into one buffer.
  [[nodiscard]] udp::SocketOptions socket_options() const {
    return {.reports_local_address = false, .shared_buffer = buffer_};
  }

  // Called on the worker's thread when a stream is connected, and when it has ended: why, such
  // as "closed" by the node, and kUnwanted. It may not call observe().
  using OnChange = std::function<void(const StreamOrigin& stream, const std::string& ended)>;
  // Afterwards the one before is called no more.
  void observe(OnChange on_change) {
    const std::scoped_lock lock(observer_->mutex);
    observer_->on_change = std::move(on_change);
  }

  // ---- on the worker's thread

  // The error says why it can't be pulled.
  tl::expected<void, std::string> add(PullSetup setup, udp::Socket socket, dtls::Instant now);
  // Those that are connecting included.
  [[nodiscard]] std::set<std::string> streams() const;
  void end_all(Sfu& sfu, dtls::Instant now);

  // ---- of its loop

  // Readable when there is something for turn().
  [[nodiscard]] int descriptor() const { return epoll_.number(); }
  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const;
  // Takes what has come, fires timers, and sends what is there, such as feedback.
  void turn(Sfu& sfu);

 private:
  struct Observer {
    std::mutex mutex;
    OnChange on_change;
  };
  struct Entry {
    udp::Socket socket;
    std::unique_ptr<Upstream> upstream;
    bool is_connected = false;
    std::optional<dtls::Instant> unwanted_since = {};
  };

  PulledStreams(const TrackOptions& options, dtls::Environment& environment, SfuIdentity identity,
                udp::Descriptor epoll)
      : options_(options),
        environment_(&environment),
        identity_(std::move(identity)),
        epoll_(std::move(epoll)),
        buffer_(std::make_shared<udp::ReceiveBuffer>()) {}
  void receive(Entry& entry, Sfu& sfu);
  void send(Entry& entry);
  void tell(const Upstream& upstream);
  // It is read no more.
  void leave_epoll(const Entry& entry);
  void end_unwanted(Entry& entry, Sfu& sfu, dtls::Instant now);

  TrackOptions options_;
  dtls::Environment* environment_;
  SfuIdentity identity_;
  udp::Descriptor epoll_;
  std::shared_ptr<udp::ReceiveBuffer> buffer_;
  udp::SendBatch batch_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::unique_ptr<Observer> observer_ = std::make_unique<Observer>();  // so that this moves
  dtls::Instant next_look_{};
};

}  // namespace sluice::interop::sfu
