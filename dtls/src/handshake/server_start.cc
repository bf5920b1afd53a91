#include "handshake/server_start.h"

#include "handshake12/hello12.h"
#include "handshake12/resume12.h"
#include "handshake12/ticket12.h"
#include "negotiation/hello_editor.h"
#include "negotiation/selection.h"
#include "negotiation/widen.h"

namespace sluice::dtls::handshake::server_start {
namespace {

using Next = AfterHello;

flight::IncomingMessage hello_in(const Buffer& message) {
  return {wire::HandshakeType::client_hello, {}, wire::kPlaintextEpoch, message};
}

Result<Next> begin_session12(const message::ClientHello& hello,
                             const flight::IncomingMessage& incoming, Context& context) {
  if (context.must_ask_for_identity()) {
    const auto criteria = certificate_criteria(hello.extensions);
    if (!criteria) return forward_error(criteria);
    ask_for_identity(context, *criteria);
    return Next(WaitIdentity{Buffer(incoming.encoding.begin(), incoming.encoding.end())});
  }
  const auto choice = choose12(context, hello);
  if (!choice) return forward_error(choice);
  if (auto announced = announce_session12(context, hello); !announced) {
    return forward_error(announced);
  }
  if (uses_psk(choice->suite.key_exchange)) {
    return server_psk12::on_client_hello(hello, *choice, incoming, context).map(kWiden<Next>);
  }
  return server12::on_client_hello(hello, *choice, incoming, context).map(kWiden<Next>);
}

// Resumes the session that the client names, or begins a new one.
Result<Next> answer_hello12(const message::ClientHello& hello,
                            const std::optional<ResumedSession12>& known,
                            const flight::IncomingMessage& incoming, Context& context) {
  if (known) {
    const auto fits = is_resumable_with12(context, hello, known->session.session());
    if (!fits) return forward_error(fits);
    if (*fits) {
      return resume12(context, hello, *known, incoming).map(kWiden<Next>);
    }
  }
  return begin_session12(hello, incoming, context);
}

Result<Next> on_client_hello12(const message::ClientHello& hello,
                               const flight::IncomingMessage& incoming, Context& context) {
  if (auto checked = check_client_hello12(context.config, hello); !checked) {
    return forward_error(checked);
  }
  if (auto taken = take_session_terms(context, hello.extensions); !taken) {
    return forward_error(taken);
  }
  if (auto question = session_question12(context.config, hello)) {
    context.ask(std::move(*question));
    return Next(WaitSession{Buffer(incoming.encoding.begin(), incoming.encoding.end())});
  }
  const auto known = find_session12(context, hello);
  if (!known) return forward_error(known);
  return answer_hello12(hello, *known, incoming, context);
}

}  // namespace

Result<Next> on(WaitClientHello&& /*state*/, const flight::IncomingMessage& incoming,
                Context& context) {
  const auto hello = expect<message::ClientHello>(incoming);
  if (!hello) return forward_error(hello);
  show_hello(context, *hello, incoming.body());
  const auto version = choose_version(context.config, *hello);
  if (!version) return forward_error(version);
  if (auto known = context.set_policy(Role::server); !known) return forward_error(known);
  context.version = *version;
  context.secret_log.set_client_random(hello->random);
  // DTLS 1.3 writes the same version in plaintext records.
  context.transport.records.set_version(ProtocolVersion::dtls12);
  if (*version == ProtocolVersion::dtls13) {
    return server13::on_client_hello(*hello, incoming, context).map(kWiden<Next>);
  }
  return on_client_hello12(*hello, incoming, context);
}

// The hello was checked before the question was asked.
Result<Next> on_answer(WaitSession&& state, const Answer& answer, Context& context) {
  const flight::IncomingMessage incoming = hello_in(state.hello);
  const auto hello = message::ClientHello::decode(incoming.body());
  const auto* resume = std::get_if<ResumeSession>(&answer);
  return answer_hello12(
      *hello, resume != nullptr ? std::optional(ResumedSession12{resume->session}) : std::nullopt,
      incoming, context);
}

Result<Next> on_answer(WaitIdentity&& state, const Answer& answer, Context& context) {
  take_identity(context, answer);
  const flight::IncomingMessage incoming = hello_in(state.hello);
  return begin_session12(*message::ClientHello::decode(incoming.body()), incoming, context);
}

}  // namespace sluice::dtls::handshake::server_start
