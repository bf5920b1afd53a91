#include "tools/tool_context.h"

#include <span>
#include <utility>

#include "common/clock.h"

namespace sluice::interop::tools {

tl::expected<std::unique_ptr<ToolContext>, std::string> ToolContext::make(
    const ToolOptions& options, dtls::PeerAuthentication wanted) {
  std::unique_ptr<ToolContext> made(new ToolContext(options.files));
  if (!made->recorder_.ok()) {
    return tl::unexpected<std::string>("--keylogfile or --pcap: can't be written");
  }
  auto environment = dtls::Environment::make(made->recorder_.environment_options());
  if (!environment) return tl::unexpected(to_string(environment.error()));
  made->environment_ = *std::move(environment);
  auto config = make_config(options, *made->environment_, wanted);
  if (!config) return tl::unexpected(config.error());
  made->config_ = *std::move(config);
  return made;
}

void ToolContext::answer_certificate(dtls::Endpoint& endpoint, dtls::ConnectionHandle connection,
                                     const dtls::PeerCertificateReceived& asked) {
  const auto matches =
      config_.peer ? dtls::matches(std::span(&*config_.peer, 1), asked.chain.front(), *environment_)
                   : true;
  const bool accepted = matches.value_or(false);
  // An Error ends the connection; the event Ended reports it.
  static_cast<void>(endpoint.answer(
      connection, asked.question,
      accepted ? dtls::PeerAnswer(dtls::AcceptPeer{}) : dtls::PeerAnswer(dtls::RejectPeer{}),
      common::now()));
}

}  // namespace sluice::interop::tools
