// The connection over which a publisher of another node comes: a client of that node, without I/O.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/dtls/environment.h>

#include "common/client/media_session.h"
#include "sfu/cluster/pull_offer.h"
#include "sfu/sfu.h"

namespace sluice::interop::sfu {

// A pull that has been answered.
struct PullSetup {
  std::string room = {};
  StreamOrigin origin = {};
  SessionSetup session = {};
  std::vector<PulledTrack> tracks = {};
};

class Upstream {
 public:
  // Until it is connected.
  static constexpr std::chrono::seconds kConnectLimit{5};
  // The node answers checks at least so often while it lives; else the stream is looked for anew.
  static constexpr std::chrono::milliseconds kCheckInterval{500};
  static constexpr std::chrono::milliseconds kCheckLimit{2000};
  // The end of a stream that nobody watches any more.
  static constexpr const char* kUnwanted = "no longer wanted";

  // `environment` outlives it. The error says what is wrong with the answer.
  static tl::expected<std::unique_ptr<Upstream>, std::string> make(PullSetup setup,
                                                                   const TrackOptions& options,
                                                                   dtls::Environment& environment,
                                                                   dtls::Instant now);
  // After end().
  ~Upstream() = default;
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  // ---- After each of them: take(). `sfu` is the same one each time.

  // What it is of media is in the bursts of `sfu` afterwards, and points into the datagram.
  void handle_datagram(dtls::MutableBytes datagram, const dtls::UdpEndpoint& from, Sfu& sfu,
                       dtls::Instant now);
  void handle_timeout(Sfu& sfu, dtls::Instant now);
  // The node is told; its publisher is gone here.
  void end(Sfu& sfu, dtls::Instant now);

  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const;
  std::vector<Outgoing> take() { return session_.take(); }

  // Null: it is not connected.
  [[nodiscard]] const Publisher* publisher() const { return publisher_; }
  [[nodiscard]] const std::string& room() const { return setup_.room; }
  [[nodiscard]] const StreamOrigin& origin() const { return setup_.origin; }
  // Why it has ended; empty while it has not.
  [[nodiscard]] const std::string& ended() const { return ended_; }

 private:
  Upstream(PullSetup setup, const TrackOptions& options, MediaSession session, dtls::Instant now);
  // Takes the outputs of the session.
  void drain(Sfu& sfu, dtls::Instant now);
  void begin_publishing(Sfu& sfu, dtls::Instant now);
  void fail(std::string why, Sfu& sfu, dtls::Instant now);

  PullSetup setup_;
  TrackOptions options_;
  MediaSession session_;
  Publisher* publisher_ = nullptr;  // of the Sfu
  dtls::Instant connects_by_;
  std::string ended_;
};

}  // namespace sluice::interop::sfu
