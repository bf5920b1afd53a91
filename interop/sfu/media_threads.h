// The threads of the media: one, or several with a part of the sessions each.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "common/lite/lite_port.h"
#include "sfu/sfu.h"

namespace sluice::interop::sfu {

class PulledStreams;

struct LoopOptions {
  SfuOptions sfu = {};
  LiteOptions lite = {};
  // Workers, 1 to kMaxWorkers. With several of them another thread has the port.
  std::size_t threads = 1;
  // Publishers of other servers can be pulled.
  bool pulls = false;
};

// Its end ends all sessions: their peers get a close_notify.
class MediaThreads {
 public:
  using Work = std::function<void(Sfu&, dtls::Instant now)>;

  MediaThreads() = default;
  MediaThreads(const MediaThreads&) = delete;
  MediaThreads& operator=(const MediaThreads&) = delete;
  virtual ~MediaThreads() = default;

  // ---- from any thread

  [[nodiscard]] virtual std::size_t workers() const = 0;
  // Runs `work` on the thread of a worker, soon. False: too much waits already.
  virtual bool post(std::size_t worker, Work work) = 0;
  // The worker for a new session of a room.
  [[nodiscard]] virtual std::size_t place_for(const std::string& room) const = 0;
  // Empty: there is no such session.
  [[nodiscard]] virtual std::optional<std::size_t> worker_of(const std::string& id) const = 0;
  // The worker that has a stream of a cluster, which publishes here or is pulled. Empty: none has
  // it.
  [[nodiscard]] virtual std::optional<std::size_t> worker_of_stream(
      const std::string& room, const std::string& stream) const = 0;
  // What a worker has from other servers. Null: LoopOptions::pulls is not set.
  [[nodiscard]] virtual PulledStreams* pulled(std::size_t worker) = 0;
  // What did not cross; empty with one worker.
  [[nodiscard]] virtual std::optional<Exchange::Dropped> dropped() const = 0;

  // ---- the next process

  // Ends the threads without a word to the peers. What the next process goes on from; its sockets
  // are open until the end of this object.
  virtual MovedSfu move_out() = 0;
  // To be given to another process.
  [[nodiscard]] virtual AdoptedSockets sockets() = 0;
};

// Makes certificates, opens the port, goes on with the sessions of the process before, if there are
// any, and begins to serve. The error says what is wrong.
tl::expected<std::unique_ptr<MediaThreads>, std::string> start_media(
    const LoopOptions& options, const std::optional<MovedSfu>& moved = {});

}  // namespace sluice::interop::sfu
