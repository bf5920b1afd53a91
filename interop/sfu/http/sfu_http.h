// The HTTP interface: WHIP (RFC 9725), WHEP (draft-ietf-wish-whep-04), and what operators need.
//
//   POST   /whip/ROOM     an offer to publish (application/sdp); 201: the answer, and Location
//   POST   /whep/ROOM     an offer to watch; likewise, or 406: an offer of the server, and Location
//   POST   /whep/ROOM/STREAM   an offer of another node of the cluster, for one publisher
//   PATCH  /session/ID    candidates (204), an ICE restart (200 and the server's fragment), or the
//                         answer to an offer of the server (204)
//   DELETE /session/ID    ends a session
//   GET    /session/ID/layer   the layers that a viewer can have (layers_json.h)
//   POST   /session/ID/layer   the one that it wants; 204
//   GET    /, /publish, /watch
//   and what operations_http.h has
//
// OPTIONS, GET and HEAD of WHIP's and WHEP's resources are as both have them; other methods get
// 405. PATCH has an application/trickle-ice-sdpfrag, and says by If-Match which ICE session it is
// for: its entity tag, which each restart changes, or *. An answer is application/sdp, and needs
// no If-Match. Errors have one sentence of plain text:
// 400 no SDP, a malformed fragment or If-Match, 401 no or a wrong token, 403 not for this address,
// 404 no such session, 409 nobody publishes or too many do, 412 another ICE session, 413 the body
// is too large, 415 wrong content type, 422 the offer or choice can't be taken, 428 no If-Match,
// 429 ICE was restarted just now, 500 the server failed, 503 a limit is reached, or no answer in
// time: then the request has no effect.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "common/http/web_server.h"
#include "sfu/cluster/cluster.h"
#include "sfu/http/trusted_proxies.h"
#include "sfu/media_threads.h"
#include "sfu/operations/event_log.h"

namespace sluice::interop::sfu {

struct SfuHttpOptions {
  HttpOptions http = {};
  // Bearer tokens (RFC 6750 section 2.1). Empty: none is needed.
  std::string publish_token = {};
  std::string watch_token = {};
  // Of /sessions and /metrics. Empty: only requests of this machine are answered.
  std::string admin_token = {};
  // The requests that they pass on count by their clients' addresses.
  TrustedProxies trusted_proxies = {};
  // Other nodes; null: there are none. It outlives the server.
  Cluster* cluster = nullptr;
  Log log = {};
};

// The largest offer in bytes. Chromium's, with three sections, has 7,000.
inline constexpr std::size_t kMaxOffer = 131'072;

// Handles requests on its own threads. `media` outlives it.
class SfuHttp {
 public:
  // Binds the port and begins to serve. The error says that the port can't be bound.
  static tl::expected<std::unique_ptr<SfuHttp>, std::string> start(const SfuHttpOptions& options,
                                                                   MediaThreads& media);
  // Waits until the current requests are answered.
  ~SfuHttp();
  SfuHttp(const SfuHttp&) = delete;
  SfuHttp& operator=(const SfuHttp&) = delete;

  // From any thread: WebServer::reload_certificate().
  tl::expected<void, std::string> reload_certificate();

  [[nodiscard]] int port() const;
  // As WebServer::listening().
  [[nodiscard]] int listening() const;
  // Of its pages.
  [[nodiscard]] std::string url() const;

 private:
  class Impl;
  explicit SfuHttp(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::interop::sfu
