// The client: sends lines and prints the data that comes back.
#pragma once

#include <sluice/udp/socket.h>

#include "tools/tool_options.h"

namespace sluice::interop::tools {

struct LineOptions {
  ToolOptions tool;
  // How many seconds to wait after the last line until as many bytes have come back as were sent.
  double wait = 2;
  // Lines after which the keys are updated, each time; 0: never.
  std::size_t key_update = 0;
  // Seconds after which the client moves to another local port, each time; 0: never. In DTLS 1.3 it
  // uses another connection ID there, if it has a spare one.
  double rebind_every = 0;
  // Files to write a session to and to resume one from. Empty: none.
  std::string session_out = {};
  std::string session_in = {};
};

enum class LineOutcome { done, failed };

// Sends the lines of `input` up to its end. The error says why the connection could not be started.
tl::expected<LineOutcome, std::string> talk(udp::Socket socket, const dtls::UdpEndpoint& server,
                                            const LineOptions& options, int input);

}  // namespace sluice::interop::tools
