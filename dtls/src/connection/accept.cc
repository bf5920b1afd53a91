// Starts a connection from the Admission of a Listener.
#include "connection/impl.h"
#include "listener/admission.h"
#include "message/handshake_fragment.h"
#include "negotiation/connection_ids.h"

namespace sluice::dtls {

Admission::Admission(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Admission::Admission(Admission&&) noexcept = default;
Admission& Admission::operator=(Admission&&) noexcept = default;
Admission::~Admission() = default;

std::span<const std::byte, 32> Admission::client_random() const {
  // The random follows the message header and client_version (RFC 5246 section 7.4.1.2).
  return Bytes(impl_->hello).subspan(message::kHandshakeHeaderSize + 2).first<32>();
}

CookieNumber Admission::cookie_number() const { return impl_->cookie; }

Accepted Connection::accept(Admission admission, Environment& environment, PathId path, Instant now,
                            ConnectionIdSource* ids) {
  auto impl =
      std::make_unique<Impl>(admission.impl_->config, environment, Role::server, path, now, ids);
  impl->begin_handshake(environment.key_log());
  auto outcome = impl->accept(*admission.impl_, now);
  return {Connection(std::move(impl)), std::move(outcome)};
}

Result<Pending> Connection::Impl::accept(Admission::Impl& admission, Instant now) {
  set_time(now);
  HandshakeDriver& running = *connection::handshaking(phase_);
  auto fits = handshake::check_source(config_.options(), config_.connection_ids());
  if (!fits) return end_input(fits);
  const auto progress =
      running.start_server(admission.hello, admission.record, admission.retry, now);
  return end_input(after_step(progress, now));
}

}  // namespace sluice::dtls
