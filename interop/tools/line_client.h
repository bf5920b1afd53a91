// Sends lines and prints what comes back.
#pragma once

#include "tools/tool_options.h"
#include "tools/udp_socket.h"

namespace sluice::interop::tools {

struct LineOptions {
  ToolOptions tool;
  // How long to wait, after the last line, for as much to come back as was sent.
  double wait = 2;
  // Files of a session, to be written and to be resumed; empty: none.
  std::string session_out = {};
  std::string session_in = {};
};

enum class LineOutcome { done, failed };

// Reads `input` to its end. The error says why nothing could be begun.
tl::expected<LineOutcome, std::string> talk(UdpSocket& socket, const dtls::UdpEndpoint& server,
                                            const LineOptions& options, int input);

}  // namespace sluice::interop::tools
