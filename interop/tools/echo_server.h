// The echo server: one socket, any number of clients.
#pragma once

#include <sluice/dtls/resumption_store.h>
#include <sluice/dtls/routable_connection_id.h>
#include <sluice/udp/socket.h>

#include <array>
#include <cstdint>
#include <optional>

#include "tools/key_rotation.h"
#include "tools/poller.h"
#include "tools/server_keys.h"
#include "tools/store_address.h"
#include "tools/tool_options.h"

namespace sluice::interop::tools {

using RoutingKey = std::array<std::byte, dtls::kRoutableKeySize>;

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
  // The connection IDs name the worker, for steer_by_connection_id(). Empty: they are random.
  std::optional<RoutingKey> routing_key = {};
  // Where sessions with connection IDs wait that have been silent for `age_after` seconds (0: they
  // stay), and all when the server ends. Needs `keys`.
  std::optional<StoreAddress> store = {};
  double age_after = 0;
  // The store, LMDB, also has a snapshot of each session that is here, for a crash.
  bool takes_snapshots = false;
  // Outlives the server. Null: none are shared.
  const ServerKeys* keys = nullptr;
  // The same, for the keys in a file. Worker 0 alone uses it. Null: there is no file.
  KeyRotation* rotation = nullptr;
};

// Whether several workers can have connection IDs of this size that name them. The error says what
// is wrong.
tl::expected<void, std::string> check_routable(std::size_t id_size, unsigned workers);

// Serves until `stop` is readable, or until `accept` connections have ended, then puts the
// remaining ones into the store, or closes them. `worker` numbers the threads of a port from 0. The
// error says what is wrong. The socket stays open: steer_by_connection_id() says why.
tl::expected<void, std::string> serve(udp::Socket& socket, const EchoOptions& options,
                                      std::uint8_t worker, int stop);

}  // namespace sluice::interop::tools
