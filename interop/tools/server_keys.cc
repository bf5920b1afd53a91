#include "tools/server_keys.h"

#include <sluice/dtls/listener.h>

#include <sys/random.h>

#include <utility>

#include "common/clock.h"
#include "tools/key_file.h"
#include "tools/tool_context.h"

namespace sluice::interop::tools {
namespace {

using KeysOrError = tl::expected<KeySet, std::string>;

KeysOrError make_keys(ToolContext& context) {
  KeySet keys;
  dtls::Buffer random(dtls::StateKeys::kKeySize + sizeof keys.state_key_id);
  if (getentropy(random.data(), random.size()) != 0) {
    return tl::unexpected<std::string>("getentropy: no random bytes");
  }
  std::uint32_t id = 0;
  for (; random.size() > dtls::StateKeys::kKeySize; random.pop_back()) {
    id = id << 8 | std::to_integer<std::uint32_t>(random.back());
  }
  keys.state_key_id = static_cast<dtls::StateKeyId>(id);
  keys.state_key = dtls::SecretBytes(std::move(random));
  const auto now = common::now();
  auto tickets = dtls::TicketKeys().export_keys(context.environment(), now);
  if (!tickets) return tl::unexpected(to_string(tickets.error()));
  keys.ticket_keys = *std::move(tickets);
  auto cookies =
      dtls::Listener::make(context.config(), context.environment())
          .and_then([now](dtls::Listener listener) { return listener.export_cookie_secret(now); });
  if (!cookies) return tl::unexpected(to_string(cookies.error()));
  keys.cookie_secret = *std::move(cookies);
  return keys;
}

}  // namespace

tl::expected<std::unique_ptr<ServerKeys>, std::string> make_server_keys(const ToolOptions& options,
                                                                        const std::string& file,
                                                                        dtls::Duration rotation) {
  auto bare = options;
  bare.files = {};
  const auto context = ToolContext::make(bare, dtls::PeerAuthentication::none);
  if (!context) return tl::unexpected(context.error());
  const auto make = [&] { return make_keys(**context); };
  auto keys = file.empty() ? make() : read_or_make_keys(file, make);
  if (!keys) return tl::unexpected(keys.error());
  auto made = std::make_unique<ServerKeys>();
  made->tickets = std::make_shared<dtls::TicketKeys>(rotation);
  auto done = made->states.add(keys->state_key_id, keys->state_key.bytes());
  if (done) {
    done = made->tickets->import_keys((*context)->environment(), keys->ticket_keys.bytes());
  }
  if (!done) return tl::unexpected(file + ": " + to_string(done.error()));
  made->cookie_secret = std::move(keys->cookie_secret);
  made->stored_tickets = std::move(keys->ticket_keys);
  return made;
}

}  // namespace sluice::interop::tools
