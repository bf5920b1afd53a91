#include "negotiation/config_question.h"

#include <vector>

#include "message/application_protocols.h"
#include "message/client_hello.h"
#include "message/code_list_extension.h"
#include "negotiation/agreed_extensions.h"
#include "negotiation/fatal.h"
#include "negotiation/role_check.h"

namespace sluice::dtls::handshake {
namespace {

using wire::ExtensionType;

bool are_equal(const RetransmissionTimers& a, const RetransmissionTimers& b) {
  return a.initial == b.initial && a.back_off == b.back_off && a.maximum == b.maximum &&
         a.total == b.total;
}

}  // namespace

std::optional<ConfigRequested> config_question(const flight::IncomingMessage& message) {
  if (message.type != message::ClientHello::kType) return std::nullopt;
  const auto hello = message::ClientHello::decode(message.body());
  if (!hello) return std::nullopt;
  auto name = requested_server_name(hello->extensions);
  if (!name) return std::nullopt;
  ConfigRequested question{};
  question.server_name = std::move(*name);
  if (const auto data =
          hello->extensions.find(ExtensionType::application_layer_protocol_negotiation)) {
    const auto protocols = message::decode_application_protocols(*data);
    if (!protocols) return std::nullopt;
    question.application_protocols.assign(protocols->begin(), protocols->end());
  }
  if (const auto data = hello->extensions.find(ExtensionType::supported_versions)) {
    const auto versions =
        message::decode_code_list<ProtocolVersion>(*data, message::ListWidth::one);
    if (!versions) return std::nullopt;
    question.versions.assign(versions->begin(), versions->end());
  } else {
    question.versions = {hello->legacy_version};
  }
  question.cipher_suites.assign(hello->cipher_suites.begin(), hello->cipher_suites.end());
  return question;
}

Result<void> check_chosen_config(const ConfigOptions& asking, const ConfigOptions& chosen) {
  if (auto checked = check_answering_server(chosen); !checked) return checked;
  if (chosen.mtu != asking.mtu) return invalid_config("mtu: not that of the asking Config");
  if (!are_equal(chosen.timers, asking.timers)) {
    return invalid_config("timers: not those of the asking Config");
  }
  if (chosen.replay_window != asking.replay_window) {
    return invalid_config("replay_window: not that of the asking Config");
  }
  if (chosen.record_padding != asking.record_padding) {
    return invalid_config("record_padding: not that of the asking Config");
  }
  if (chosen.max_handshake_message != asking.max_handshake_message) {
    return invalid_config("max_handshake_message: not that of the asking Config");
  }
  if (chosen.max_reassembly != asking.max_reassembly) {
    return invalid_config("max_reassembly: not that of the asking Config");
  }
  if (chosen.max_unaccepted_data != asking.max_unaccepted_data) {
    return invalid_config("max_unaccepted_data: not that of the asking Config");
  }
  return {};
}

}  // namespace sluice::dtls::handshake
