#include "handshake/server_start.h"

#include "handshake/hello12.h"
#include "handshake/negotiation.h"

namespace sluice::dtls::handshake::server_start {

using Next = AfterHello;

Result<Next> on(WaitClientHello&& /*state*/, const flight::IncomingMessage& incoming,
                Context& context) {
  const auto hello = expect<message::ClientHello>(incoming);
  if (!hello) return tl::unexpected(hello.error());
  const auto version = choose_version(context.config, *hello);
  if (!version) return tl::unexpected(version.error());
  context.version = *version;
  context.secret_log.set_client_random(hello->random);
  context.records.set_version(ProtocolVersion::dtls12);  // 1.3's plaintext records say the same
  const auto widen = [](auto states) {
    return std::visit([](auto& state) { return Next(std::move(state)); }, states);
  };
  if (*version == ProtocolVersion::dtls13) {
    return server13::on_client_hello(*hello, incoming, context).map(widen);
  }
  if (auto checked = check_client_hello12(context.config, *hello); !checked) {
    return tl::unexpected(checked.error());
  }
  const auto choice = choose12(context.config, context.library, *hello);
  if (!choice) return tl::unexpected(choice.error());
  if (uses_psk(choice->suite.key_exchange)) {
    return server_psk12::on_client_hello(*hello, *choice, incoming, context)
        .map([](server_psk12::WaitClientKeyExchange next) { return Next(std::move(next)); });
  }
  return server12::on_client_hello(*hello, *choice, incoming, context).map(widen);
}

}  // namespace sluice::dtls::handshake::server_start
