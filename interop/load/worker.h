// A thread that runs clients on sockets: one socket each.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tl/expected.hpp>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <sluice/dtls/environment.h>
#include <sluice/udp/descriptor.h>
#include <sluice/udp/send_batch.h>
#include <sluice/udp/socket.h>

#include "common/work_queue.h"
#include "load/publisher.h"
#include "load/viewer.h"

namespace sluice::interop::load {

enum class MemberId : std::uint32_t {};

// A client whose offer has been answered.
struct Joining {
  MemberId id;
  udp::Socket socket;  // with Worker::socket_options()
  SessionSetup setup;
  std::variant<std::vector<PublishedStream>, ViewerOptions> role;
  dtls::Instant posted_at;  // the offer
};

// A client as it is now, or was when it left.
struct MemberReport {
  MemberId id{};
  bool is_publisher = false;
  std::optional<dtls::Duration> connected_after = {};     // since the offer was posted
  std::optional<dtls::Duration> first_packet_after = {};  // the same
  dtls::Duration connected_for{};
  std::string end = {};  // why it has ended by itself; empty: it has not
  udp::SocketStatistics socket = {};
  std::uint64_t dropped_unread = 0;  // udp::Socket::dropped_unread()
  // ---- of a viewer
  ReceivedCounts received = {};
  std::size_t streams = 0;
  std::uint64_t unexpected = 0;
  // ---- of a publisher
  SentPackets sent = {};
  std::uint64_t sent_bytes = 0;  // of payload
  std::uint64_t lost_on_the_way = 0;
  std::uint64_t key_frames = 0;
  std::uint64_t key_frames_asked = 0;
  std::uint64_t skipped_frames = 0;
};

struct WorkerOptions {
  double loss = 0;         // of each datagram in both directions: 0 to 1
  std::uint64_t seed = 1;  // of the loss
};

class Worker {
 public:
  using Work = std::function<void(Worker&)>;

  // The error says what is wrong.
  static tl::expected<std::unique_ptr<Worker>, std::string> start(const WorkerOptions& options);
  // Clients that are still there vanish.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // ---- from any thread

  // Of the sockets of its clients, which all read into one buffer.
  [[nodiscard]] udp::SocketOptions socket_options() const;
  // Runs `work` on the thread, and waits for its result.
  template <class Result>
  Result ask(std::function<Result(Worker&)> work) {
    std::packaged_task<Result(Worker&)> task(std::move(work));
    auto result = task.get_future();
    // The caller waits, so that few wait at a time.
    while (!work_.post([&task](Worker& worker) { task(worker); })) std::this_thread::yield();
    return result.get();
  }
  void run(const Work& work) {
    ask<bool>([&work](Worker& worker) { return work(worker), true; });
  }

  // ---- as work

  // The error says why the client can't be made.
  tl::expected<void, std::string> join(Joining joining);
  // `vanishes`: without a word to the server.
  void leave(MemberId id, bool vanishes);
  void stop_publishers();
  // How many are neither connected nor at their end.
  [[nodiscard]] std::size_t connecting() const;
  // Of all viewers.
  [[nodiscard]] Traffic traffic() const;
  // With what the publishers have sent, what a viewer has not got at the end counts as lost.
  [[nodiscard]] std::vector<MemberReport> report(const SentPackets& sent = {}) const;
  // Empty: there is no client of this name.
  [[nodiscard]] std::optional<MemberReport> report_of(MemberId id) const;

 private:
  struct Member {
    udp::Socket socket;
    std::unique_ptr<Client> client;
    // One of them points to the client.
    Publisher* publisher = nullptr;
    Viewer* viewer = nullptr;
    dtls::Instant posted_at{};
    std::optional<dtls::Instant> scheduled = {};
  };

  Worker(const WorkerOptions& options, dtls::Environment environment, udp::Descriptor epoll,
         udp::Descriptor wake);
  void loop();
  void wait();
  void on_readable(MemberId id);
  void fire_timers();
  // Sends what the client has, and keeps its timer.
  void settle(MemberId id, Member& member);
  bool loses() { return options_.loss > 0 && lost_(random_); }
  [[nodiscard]] static MemberReport report_of(MemberId id, const Member& member,
                                              const SentPackets& sent);

  WorkerOptions options_;
  dtls::Environment environment_;
  udp::Descriptor epoll_;
  common::WorkQueue<Work> work_;
  std::shared_ptr<udp::ReceiveBuffer> buffer_;
  udp::SendBatch batch_;
  std::mt19937_64 random_;
  std::bernoulli_distribution lost_;
  std::unordered_map<MemberId, Member> members_;
  std::set<std::pair<dtls::Instant, MemberId>> timers_;  // one for each member at most
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

}  // namespace sluice::interop::load
