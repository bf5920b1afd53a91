#include "handshake/handshake.h"

#include <concepts>

#include "crypto/hmac.h"

namespace sluice::dtls::handshake {
namespace {

// A handler returns one state or a variant of some. All of them are alternatives of `State`.
template <class State, class Next>
void assign(State& state, Next&& next) {
  state = std::forward<Next>(next);
}
template <class State, class... Next>
void assign(State& state, std::variant<Next...>&& next) {
  std::visit([&](auto&& chosen) { state = std::forward<decltype(chosen)>(chosen); },
             std::move(next));
}

template <class State>
concept Complete = std::same_as<State, Session12> || std::same_as<State, Session13>;
template <class State>
concept Asking = requires(State state, const Answer& answer, Context& context) {
  on_answer(std::move(state), answer, context);
};
template <class State>
concept Silent = Complete<State> || Asking<State>;

// A complete handshake, and one that waits for an answer, accepts no message.
template <Silent State>
Result<State> on(State&& /*session*/, const flight::IncomingMessage&, Context&) {
  return fatal(Errc::unexpected_message, Alert::unexpected_message);
}

}  // namespace

Result<Handshake> Handshake::client(Context& context,
                                    const std::optional<ResumableSession>& session) {
  const crypto::DeferredWipe wipe(context.library);
  return client_start::start(context, session).map([](client_start::WaitServerHello state) {
    return Handshake(std::move(state));
  });
}

Result<Handshake> Handshake::server(const server13::StatelessRetry& retry, Context& context) {
  return server13::after_stateless_retry(retry, context)
      .map([](server13::WaitSecondClientHello state) { return Handshake(std::move(state)); });
}

Result<void> Handshake::on_message(const flight::IncomingMessage& incoming, Context& context) {
  const crypto::DeferredWipe wipe(context.library);
  return std::visit(
      [&](auto&& state) -> Result<void> {
        auto next = on(std::forward<decltype(state)>(state), incoming, context);
        if (!next) return forward_error(next);
        assign(state_, std::move(*next));
        return {};
      },
      std::move(state_));
}

bool Handshake::awaits_answer() const {
  return std::visit([]<class S>(const S&) { return Asking<S>; }, state_);
}

Result<void> Handshake::answer(const Answer& answer, Context& context) {
  const crypto::DeferredWipe wipe(context.library);
  return std::visit(
      [&]<class S>(S&& state) -> Result<void> {
        if constexpr (Asking<std::remove_cvref_t<S>>) {
          auto next = on_answer(std::forward<S>(state), answer, context);
          if (!next) return forward_error(next);
          assign(state_, std::move(*next));
        }
        return {};
      },
      std::move(state_));
}

wire::Epoch Handshake::expected_epoch() const {
  return std::visit(
      []<class S>(const S&) {
        if constexpr (Complete<S>) {
          return wire::kPlaintextEpoch;
        } else {
          return S::kEpoch;
        }
      },
      state_);
}

bool Handshake::complete() const {
  return std::holds_alternative<Session12>(state_) || std::holds_alternative<Session13>(state_);
}

Session Handshake::take_session() && {
  if (auto* session = std::get_if<Session12>(&state_)) return std::move(*session);
  return std::get<Session13>(std::move(state_));
}

}  // namespace sluice::dtls::handshake
