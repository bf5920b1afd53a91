#include "redis_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sluice::session_stores::test {
namespace {

std::uint16_t free_port() {
  const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool found = bind(file, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(file, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(file);
  if (!found) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

// Reads what Redis prints until it is ready.
void wait_until_ready(int output) {
  std::string printed;
  std::array<char, 4096> part{};
  while (printed.find("Ready to accept connections") == std::string::npos) {
    const ssize_t size = read(output, part.data(), part.size());
    if (size <= 0) throw std::runtime_error("redis-server has ended: " + printed);
    printed.append(part.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace

RedisServer::RedisServer(std::initializer_list<std::string> options,
                         const std::filesystem::path& folder, std::uint16_t port)
    : port_(port != 0 ? port : free_port()) {
  std::vector<std::string> words = {"redis-server",        "--bind",      "127.0.0.1", "--port",
                                    std::to_string(port_), "--daemonize", "no",        "--save"};
  if (folder.empty()) {
    words.emplace_back("");
  } else {
    words.insert(words.end(), {"3600 1", "--dir", folder.string()});
  }
  words.insert(words.end(), options);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  std::array<int, 2> pipe_ends{};
  if (pipe(pipe_ends.data()) != 0) throw std::runtime_error("pipe");
  process_ = fork();
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing behind
    dup2(pipe_ends[1], STDOUT_FILENO);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(pipe_ends[1]);
  output_ = pipe_ends[0];
  wait_until_ready(output_);
}

void RedisServer::stop() {
  const pid_t process = std::exchange(process_, -1);
  if (process < 0) return;
  kill(process, SIGCONT);
  kill(process, SIGTERM);
  waitpid(process, nullptr, 0);
  close(output_);
}

void RedisServer::signal(int number) const { kill(process_, number); }

}  // namespace sluice::session_stores::test
