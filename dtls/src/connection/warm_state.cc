#include "connection/warm_state.h"

namespace sluice::dtls::connection {

Result<void> WarmState::make_ciphers(const Shared& shared, const Phase& phase) {
  const auto session = complete_session(phase);
  if (!session) return {};
  const auto take = [&](auto made) {
    records_.warm_up(std::move(made.opener), std::move(made.sealer));
    shared.library.warm_list().try_out(in_use());
  };
  if (const auto* const* session12 = std::get_if<const handshake::Session12*>(&*session)) {
    return handshake::make_protection12(shared.library, (*session12)->negotiated,
                                        (*session12)->master, shared.role)
        .map(take);
  }
  const auto& session13 = *std::get<const handshake::Session13*>(*session);
  return handshake::make_protection13(shared.library, session13, shared.role).map(take);
}

void WarmState::enter_list(const Shared& shared, const Phase& phase) {
  // A cold connection may read a record of an older epoch; it does not enter the list then.
  if (!is_open(phase) || records_.is_cold()) return;
  shared.library.warm_list().use(in_use());
}

}  // namespace sluice::dtls::connection
