#include "handshake/handshake.h"

namespace sluice::dtls::handshake {
namespace {

// A handler names one state that follows, or a variant of several: all are states of the whole.
template <class State, class Next>
void assign(State& state, Next&& next) {
  state = std::forward<Next>(next);
}
template <class State, class... Next>
void assign(State& state, std::variant<Next...>&& next) {
  std::visit([&](auto&& chosen) { state = std::forward<decltype(chosen)>(chosen); },
             std::move(next));
}

// A complete handshake takes no more messages.
Result<Session12> on(Session12&& /*session*/, const flight::IncomingMessage&, Context&) {
  return fatal(Errc::unexpected_message, Alert::unexpected_message);
}

}  // namespace

Result<Handshake> Handshake::client(Context& context) {
  return client12::start(context).map(
      [](client12::WaitServerHello state) { return Handshake(state); });
}

Result<void> Handshake::on_message(const flight::IncomingMessage& incoming, Context& context) {
  return std::visit(
      [&](auto&& state) -> Result<void> {
        auto next = on(std::forward<decltype(state)>(state), incoming, context);
        if (!next) return tl::unexpected(next.error());
        assign(state_, std::move(*next));
        return {};
      },
      std::move(state_));
}

}  // namespace sluice::dtls::handshake
