#include "negotiation/hello_editor.h"

#include <algorithm>
#include <source_location>
#include <string_view>

#include "negotiation/extension_table.h"
#include "negotiation/fatal.h"

namespace sluice::dtls::handshake {
namespace {

using message::ClientHello;
using message::ExtensionBlock;
using message::ServerHello;
using wire::ExtensionType;

std::vector<HelloExtension> all_extensions(const ExtensionBlock& block) {
  std::vector<HelloExtension> extensions;
  block.all_of([&](const ExtensionBlock::Extension& extension) {
    extensions.push_back(
        {wire::value_of(extension.type), Buffer(extension.data.begin(), extension.data.end())});
    return true;
  });
  return extensions;
}

std::vector<HelloExtension> alterable(const ExtensionBlock& block) {
  auto extensions = all_extensions(block);
  std::erase_if(extensions, [](const HelloExtension& extension) {
    return ExtensionType{extension.type} == ExtensionType::pre_shared_key;
  });
  return extensions;
}

void put_extension(wire::Writer& out, ExtensionType type, Bytes data) {
  message::put_extension(out, type, [&](wire::Writer& inside) { inside.bytes(data); });
}

// The extensions of the hook, and the pre_shared_key that was hidden from it.
void put_extensions(wire::Writer& out, const std::vector<HelloExtension>& extensions,
                    const ExtensionBlock& before) {
  for (const auto& [type, data] : extensions) put_extension(out, ExtensionType{type}, data);
  if (const auto psk = before.find(ExtensionType::pre_shared_key)) {
    put_extension(out, ExtensionType::pre_shared_key, *psk);
  }
}

tl::unexpected<Error> invalid_hello(std::string_view detail,
                                    std::source_location where = std::source_location::current()) {
  return fatal(Errc::invalid_config, Alert::internal_error, detail, where);
}

// Lets the hook change the hello.
Result<void> call_hook(const HelloHook& hook, OutgoingHello& hello) {
  hook.on_sending(hello);
  const bool adds_psk = std::ranges::any_of(hello.extensions, [](const HelloExtension& extension) {
    return ExtensionType{extension.type} == ExtensionType::pre_shared_key;
  });
  if (adds_psk) return invalid_hello("hello_hook: a pre_shared_key");
  return {};
}

Result<Buffer> edit_client_hello(Context& context, const ClientHello& before, OutgoingHello&& hello,
                                 const HelloHook& hook) {
  hello.cipher_suites.assign(before.cipher_suites.begin(), before.cipher_suites.end());
  hello.extensions = alterable(before.extensions);
  if (auto called = call_hook(hook, hello); !called) return forward_error(called);
  auto body = wire::encoded([&](wire::Writer& writer) {
    message::put_client_hello(
        writer, before.random, before.session_id, before.cookie, hello.cipher_suites,
        [&](wire::Writer& out) { put_extensions(out, hello.extensions, before.extensions); });
  });
  if (!body) return invalid_hello("hello_hook: more than a ClientHello can hold");
  if (!ClientHello::decode(*body)) return invalid_hello("hello_hook: no ClientHello any more");
  context.hello_hook.edited = std::make_unique<EditedHello>();
  context.hello_hook.edited->cipher_suites = std::move(hello.cipher_suites);
  for (const auto& [type, data] : hello.extensions) {
    context.hello_hook.edited->extensions.push_back(ExtensionType{type});
  }
  return *std::move(body);
}

Result<Buffer> edit_server_hello(const ServerHello& before, OutgoingHello&& hello,
                                 const HelloHook& hook) {
  hello.cipher_suites = {before.cipher_suite};
  hello.extensions = alterable(before.extensions);
  if (auto called = call_hook(hook, hello); !called) return forward_error(called);
  if (hello.cipher_suites != std::vector{before.cipher_suite}) {
    return invalid_hello("hello_hook: another cipher suite than was chosen");
  }
  auto body = wire::encoded([&](wire::Writer& writer) {
    message::put_server_hello(
        writer, before.random, before.session_id, before.cipher_suite,
        [&](wire::Writer& out) { put_extensions(out, hello.extensions, before.extensions); });
  });
  if (!body) return invalid_hello("hello_hook: more than a ServerHello can hold");
  if (!ServerHello::decode(*body)) return invalid_hello("hello_hook: no ServerHello any more");
  return *std::move(body);
}

}  // namespace

void show_hello(const Context& context, const ClientHello& hello, Bytes body) {
  const auto& hook = context.config.hello_hook;
  if (!hook) return;
  const auto& suites = hello.cipher_suites;
  hook->on_received({context.hello_hook.connection,
                     HelloMessage::client_hello,
                     body,
                     {suites.begin(), suites.end()},
                     all_extensions(hello.extensions)});
}

void show_hello(const Context& context, const ServerHello& hello, Bytes body) {
  const auto& hook = context.config.hello_hook;
  if (!hook) return;
  const auto message = hello.random == message::kHelloRetryRequestRandom
                           ? HelloMessage::hello_retry_request
                           : HelloMessage::server_hello;
  hook->on_received({context.hello_hook.connection,
                     message,
                     body,
                     {hello.cipher_suite},
                     all_extensions(hello.extensions)});
}

Result<void> edit_hello(Context& context, HelloMessage message, Buffer& body) {
  const auto& hook = context.config.hello_hook;
  if (!hook) return {};
  Result<Buffer> edited;
  if (message == HelloMessage::client_hello) {
    const auto before = ClientHello::decode(body);
    if (!before) return invalid_hello("hello_hook: no ClientHello to change");
    edited = edit_client_hello(
        context, *before, {context.hello_hook.connection, message, before->random, {}, {}}, *hook);
  } else {
    const auto before = ServerHello::decode(body);
    if (!before) return invalid_hello("hello_hook: no ServerHello to change");
    edited = edit_server_hello(
        *before, {context.hello_hook.connection, message, before->random, {}, {}}, *hook);
  }
  if (!edited) return forward_error(edited);
  body = std::move(*edited);
  return {};
}

bool is_solicited(const Context& context, ExtensionType type) {
  if (!context.hello_hook.edited) return is_offered(context.config, type);
  return std::ranges::find(context.hello_hook.edited->extensions, type) !=
         context.hello_hook.edited->extensions.end();
}

bool was_suite_sent(const Context& context, CipherSuite suite) {
  if (!context.hello_hook.edited) return true;
  const auto& sent = context.hello_hook.edited->cipher_suites;
  return std::ranges::find(sent, suite) != sent.end();
}

}  // namespace sluice::dtls::handshake
