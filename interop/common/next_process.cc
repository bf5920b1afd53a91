#include "common/next_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace sluice::interop::common {
namespace {

// The number of sockets; behind them is the pipe.
constexpr const char* kInherited = "SLUICE_INHERITED_SOCKETS";

constexpr int kEndLimitMs = 1000;

tl::unexpected<std::string> call_error(const char* call, int error) {
  return tl::unexpected(std::string{call} + ": " + std::strerror(error));
}

// This process's environment, with the number.
std::vector<std::string> environment_with(std::size_t sockets) {
  const std::string name = std::string{kInherited} + "=";
  std::vector<std::string> made;
  for (char** each = environ; *each != nullptr; ++each) {
    if (!std::string_view{*each}.starts_with(name)) made.emplace_back(*each);
  }
  made.push_back(name + std::to_string(sockets));
  return made;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// What is done with descriptors between fork and exec.
class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;

  // `from` becomes `to`, and what is above `to` is closed at the end.
  void pass(int from, int to) { posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void close_from(int first) { posix_spawn_file_actions_addclosefrom_np(&actions_, first); }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) return "it has ended by signal " + std::to_string(WTERMSIG(status));
  return "it has ended with " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

tl::expected<NextProcess, std::string> NextProcess::start(const std::vector<std::string>& arguments,
                                                          std::span<const int> sockets) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return call_error("pipe2", errno);
  udp::Descriptor ready(ends[0]);
  const udp::Descriptor told(ends[1]);
  // Copies above all targets, so that none is overwritten before its turn.
  const int first_copy = kFirstPassed + static_cast<int>(sockets.size()) + 1;
  std::vector<udp::Descriptor> copies;
  SpawnActions actions;
  std::vector<int> passed(sockets.begin(), sockets.end());
  passed.push_back(told.number());
  int target = kFirstPassed;
  for (const int descriptor : passed) {
    copies.emplace_back(fcntl(descriptor, F_DUPFD_CLOEXEC, first_copy));
    if (!copies.back().is_open()) return call_error("fcntl", errno);
    actions.pass(copies.back().number(), target++);
  }
  actions.close_from(target);
  auto texts = arguments;
  auto variables = environment_with(sockets.size());
  pid_t id = 0;
  const int error = posix_spawnp(&id, texts.front().c_str(), actions.get(), nullptr,
                                 pointers(texts).data(), pointers(variables).data());
  if (error != 0) return call_error("posix_spawnp", error);
  return NextProcess(id, std::move(ready));
}

NextProcess::NextProcess(NextProcess&& other) noexcept
    : id_(std::exchange(other.id_, 0)), ready_(std::move(other.ready_)) {}

NextProcess::~NextProcess() {
  if (id_ == 0) return;
  kill(id_, SIGKILL);
  waitpid(id_, nullptr, 0);
}

tl::expected<void, std::string> NextProcess::is_ready() {
  std::byte told{};
  if (read(ready_.number(), &told, sizeof told) == 1) return {};
  // Its descriptors are closed a moment before it has ended.
  const udp::Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, id_, 0)));
  pollfd ended{.fd = process.number(), .events = POLLIN, .revents = 0};
  int status = 0;
  if (poll(&ended, 1, kEndLimitMs) != 1 || waitpid(id_, &status, WNOHANG) != id_) {
    return tl::unexpected<std::string>("it has closed its pipe");
  }
  id_ = 0;
  return tl::unexpected(describe_end(status));
}

tl::expected<std::optional<std::vector<PassedSocket>>, std::string> inherited_sockets() {
  const auto count = number_in(kInherited);
  if (!count) return std::nullopt;
  auto sockets = sockets_from(kFirstPassed, *count);
  if (!sockets) return tl::unexpected(kInherited + (": " + sockets.error()));
  // Not for what this process starts itself.
  fcntl(kFirstPassed + *count, F_SETFD, FD_CLOEXEC);
  return *std::move(sockets);
}

void tell_ready() {
  const auto count = number_in(kInherited);
  if (!count) return;
  const udp::Descriptor told(kFirstPassed + *count);
  const std::byte ready{1};
  // A failure can't be reported.
  [[maybe_unused]] const auto written = write(told.number(), &ready, sizeof ready);
}

}  // namespace sluice::interop::common
