// The echo server: one socket, any number of clients.
#pragma once

#include <sluice/dtls/resumption_store.h>

#include "tools/poller.h"
#include "tools/tool_options.h"
#include "tools/udp_socket.h"

namespace sluice::interop::tools {

struct EchoOptions {
  ToolOptions tool;
  // The server ends after this many connections; 0: never.
  std::size_t accept = 0;
  dtls::PeerAuthentication wanted = dtls::PeerAuthentication::none;  // certificates of clients
  // Answers as a CoAP server instead of echoing.
  bool answers_coap = false;
  // Sessions that can be resumed without a ticket. Outlives the server.
  dtls::ResumptionStore* sessions = nullptr;
  // Connections whose client asks for another name are closed. Empty: all names are served.
  std::string server_name = {};
};

// Serves until `stop` is readable, or until `accept` connections have ended, then closes the
// remaining ones. The error says what is wrong.
tl::expected<void, std::string> serve(UdpSocket& socket, const EchoOptions& options, int stop);

}  // namespace sluice::interop::tools
