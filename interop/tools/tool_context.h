// What the connections of one Endpoint share: the recorder, the environment and the configuration.
#pragma once

#include <sluice/dtls/endpoint.h>

#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "common/recorder.h"
#include "tools/tool_options.h"

namespace sluice::interop::tools {

class ToolContext {
 public:
  // `wanted` as in make_config(). The error says what is wrong with the options.
  static tl::expected<std::unique_ptr<ToolContext>, std::string> make(
      const ToolOptions& options, dtls::PeerAuthentication wanted);

  dtls::Environment& environment() { return *environment_; }
  [[nodiscard]] const dtls::ConfigPtr& config() const { return config_.config; }

  // Accepts the peer if its certificate has the fingerprint of --fingerprint, or if that option
  // isn't given; else rejects it.
  void answer_certificate(dtls::Endpoint& endpoint, dtls::ConnectionHandle connection,
                          const dtls::PeerCertificateReceived& asked);

 private:
  explicit ToolContext(const common::RecorderFiles& files) : recorder_(files) {}

  common::Recorder recorder_;  // outlives the environment, which writes to it
  std::optional<dtls::Environment> environment_;
  ToolConfig config_;
};

}  // namespace sluice::interop::tools
