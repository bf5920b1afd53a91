// Ticket keys change from time to time: keeps the newest in the key file, for the next server and
// for others that share it.
#pragma once

#include <sluice/dtls/environment.h>
#include <sluice/dtls/resumption.h>
#include <sluice/dtls/secret.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>

namespace sluice::interop::tools {

// Used by one thread.
class KeyRotation {
 public:
  using Report = std::function<void(const std::string& failure)>;

  // How long after a failure it tries again.
  static constexpr auto kRetry = std::chrono::minutes{1};

  // `stored`: what the file had when the ticket keys were read from it.
  KeyRotation(std::string file, std::shared_ptr<dtls::TicketKeys> keys, dtls::SecretBytes stored,
              Report report);

  // When keep() has something to do.
  [[nodiscard]] dtls::Instant due() const { return due_; }
  // Has the file and the keys agree: where another server has put newer keys into the file, they
  // are used here, too; else the file gets those of this server, which makes new ones if they are
  // due. Does nothing before due(). Returns whether it has changed the file. A failure is reported
  // and counted; the server goes on, with keys that the file lacks.
  bool keep(dtls::Environment& environment, dtls::Instant now);

  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  tl::expected<bool, std::string> agree(dtls::Environment& environment, dtls::Instant now);

  std::string file_;
  std::shared_ptr<dtls::TicketKeys> keys_;
  dtls::SecretBytes stored_;
  Report report_;
  dtls::Instant due_;
  std::uint64_t failures_ = 0;
};

}  // namespace sluice::interop::tools
