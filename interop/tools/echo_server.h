// Sends back what comes, on one socket, to any number of peers.
#pragma once

#include <sluice/dtls/resumption_store.h>

#include "tools/poller.h"
#include "tools/tool_options.h"
#include "tools/udp_socket.h"

namespace sluice::interop::tools {

struct EchoOptions {
  ToolOptions tool;
  // After so many connections the server ends; 0: never.
  std::size_t accept = 0;
  dtls::PeerAuthentication wanted = dtls::PeerAuthentication::none;  // of clients
  // Instead of sending back what comes, answers it as CoAP.
  bool answers_coap = false;
  // Of those that no ticket is given for. Outlives the server.
  dtls::ResumptionStore* sessions = nullptr;
  // A client that asks for another name is closed; empty: whatever it asks for.
  std::string server_name = {};
};

// Until `stop` can be read, or as many connections as are to be accepted have come and gone; then
// those that are left are closed. The error says what is wrong.
tl::expected<void, std::string> serve(UdpSocket& socket, const EchoOptions& options, int stop);

}  // namespace sluice::interop::tools
