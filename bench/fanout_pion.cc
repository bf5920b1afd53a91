#include "fanout_pion.h"

#include <sluice/udp/address.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <sstream>
#include <stdexcept>

namespace sluice::bench {
namespace {

std::string lines_of(const std::vector<dtls::UdpEndpoint>& receivers) {
  std::string text;
  for (const auto& receiver : receivers) text += udp::to_string(receiver) + "\n";
  return text;
}

}  // namespace

std::vector<double> run_pion(const std::string& program,
                             const std::vector<dtls::UdpEndpoint>& receivers, std::size_t payload,
                             int rounds) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (pipe(in.data()) != 0 || pipe(out.data()) != 0) throw std::runtime_error("pipe");
  const std::string rounds_text = std::to_string(rounds);
  const std::string payload_text = std::to_string(payload);
  const pid_t child = fork();
  if (child == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    for (const int descriptor : {in[0], in[1], out[0], out[1]}) close(descriptor);
    execl(program.c_str(), program.c_str(), rounds_text.c_str(), payload_text.c_str(), nullptr);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  const std::string text = lines_of(receivers);
  const bool is_told =
      child > 0 && write(in[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(in[1]);
  std::string printed;
  std::array<char, 4096> part{};
  for (ssize_t size = 0; (size = read(out[0], part.data(), part.size())) > 0;) {
    printed.append(part.data(), static_cast<std::size_t>(size));
  }
  close(out[0]);
  int status = 0;
  if (!is_told || waitpid(child, &status, 0) != child || status != 0) {
    throw std::runtime_error(program + " has failed");
  }
  std::vector<double> figures;
  std::istringstream lines(printed);
  for (double figure = 0; lines >> figure;) figures.push_back(figure);
  return figures;
}

}  // namespace sluice::bench
